//! What the meter keeps: nobody spends what they do not have, nothing is free, and everything adds up.

#[path = "common/money.rs"]
mod money;

use std::time::Duration;

use matrixos_store::{How, verify};
use matrixos_supervisor::meter::{
    CSV_HEADER, Call, Level, Prices, Refused, Reservation, Settings, Settled, UsageReader, csv_line, date, day,
};
use matrixos_types::Nanos;
use money::*;

#[tokio::test(flavor = "multi_thread")]
async fn of_parallel_calls_with_money_for_one_exactly_one_is_made() {
    let house = house_of(Settings { quota: Nanos(EMPTY_PROMPT + LEASE), calls: 50 });
    for stream in [true, false] {
        let user = person(&house.store, if stream { "alice" } else { "bobby" });
        let call = Call { stream, ..stream_call(4_096) };
        let racers: Vec<_> = (0..50)
            .map(|_| {
                let (meter, user, call) = (house.meter.clone(), user.clone(), call.clone());
                tokio::spawn(async move { meter.reserve(user.id, &user.container, &call).await })
            })
            .collect();
        let mut admitted = Vec::new();
        for racer in racers {
            match racer.await.expect("no panic") {
                Ok(reservation) => admitted.push(reservation),
                Err(Refused::OutOfBudget { held, .. }) => assert_eq!(held.0, EMPTY_PROMPT + LEASE),
                Err(other) => panic!("{other}"),
            }
        }
        assert_eq!(admitted.len(), 1);
        assert_eq!(house.meter.standing(user.id).expect("readable").in_flight, 1);
    }
}

#[tokio::test]
async fn the_sixth_call_waits_until_one_of_five_has_ended() {
    let house = house(Nanos::dollars(5));
    let (user, other) = (person(&house.store, "alice"), person(&house.store, "bobby"));
    let call = stream_call(10);
    let mut calls = Vec::new();
    for _ in 0..5 {
        calls.push(house.reserve(&user, &call).await.expect("admitted"));
    }
    match house.reserve(&user, &call).await {
        Err(Refused::TooMany { most: 5, retry_after }) => assert!(retry_after >= Duration::from_secs(1)),
        other => panic!("{:?}", other.err()),
    }
    house.reserve(&other, &call).await.expect("not their calls");
    for how in 0..3 {
        let ended: Reservation = calls.pop().expect("five");
        match how {
            0 => drop(ended.settle(answer(1, 1).progress()).await.expect("settled")),
            1 => ended.release().await.expect("released"),
            _ => drop(ended),
        }
        calls.push(house.reserve(&user, &call).await.expect("there is room again"));
    }
}

#[tokio::test]
async fn a_call_costs_to_the_nano_dollar_what_it_used_and_everything_says_so() {
    let house = house(Nanos::dollars(5));
    let user = person(&house.store, "alice");
    let today = day(house.clock.now());
    for (input, output) in [(1_000, 500), (7, 3)] {
        let call = house.reserve(&user, &stream_call(4_096)).await.expect("admitted");
        let charge = call.settle(answer(input, output).progress()).await.expect("settled");
        assert_eq!((charge.cost.0, charge.how), (input * 4_000 + output * 20_000, How::Exact));
    }
    house.clock.advance(Duration::from_secs(86_400));
    let call = Call { model: "claude-haiku-4-5-20251001".to_owned(), ..whole_call(100) };
    let call = house.reserve(&user, &call).await.expect("admitted");
    let charge = call.settle(answer(10, 10).progress()).await.expect("settled");
    assert_eq!((charge.model.as_str(), charge.cost.0), ("claude-haiku-4-5", 60_000));
    let spent = 1_007 * 4_000 + 503 * 20_000 + 60_000;
    assert_eq!(charge.remaining.0, 5_000_000_000 - spent);
    let report = house.meter.usage(user.id, 0..=u32::MAX).expect("readable");
    assert_eq!((report.standing.spent.0, report.standing.held.0, report.standing.in_flight), (spent, 0, 0));
    let days: Vec<_> = report.days.iter().map(|d| (d.day, d.model.as_str(), d.calls, d.input, d.output)).collect();
    assert_eq!(days, [(today, OPUS, 2, 1_007, 503), (today + 1, "claude-haiku-4-5", 1, 10, 10)]);
    assert_eq!(house.meter.usage(user.id, today..=today).expect("readable").days.len(), 1);
    let lines: Vec<String> = house.meter.calls(user.id, 0).map(|row| csv_line(&row.expect("readable"))).collect();
    let first = format!("0,1800000000,{},{OPUS},1000,500,0,0,0,0,0.014000000,exact,false\r\n", date(today));
    assert_eq!((lines.len(), &lines[0]), (3, &first));
    assert_eq!(CSV_HEADER.split(',').count(), first.split(',').count());
    assert!(verify(&house.store).is_empty(), "{:?}", verify(&house.store));
}

#[tokio::test]
async fn nothing_is_free_but_what_the_provider_refused() {
    let house = house(Nanos::dollars(5));
    let user = person(&house.store, "alice");
    let call = whole_call(100);
    let reserve = || house.reserve(&user, &call);
    let most = EMPTY_PROMPT + 100 * OUT;
    let spent = || house.meter.standing(user.id).expect("readable").spent.0;
    reserve().await.expect("admitted").release().await.expect("released");
    assert_eq!(spent(), 0);
    // An answer that says nothing costs what was held.
    let charge = reserve().await.expect("admitted").settle(Settled::nothing()).await.expect("settled");
    assert_eq!((charge.cost.0, charge.how, spent()), (most, How::Leased, most));
    // One that broke off costs its prompt, and its text by estimate.
    let mut broken = UsageReader::default();
    begin(&mut broken, 10);
    flow(&mut broken, 50);
    let charge = reserve().await.expect("admitted").settle(broken.progress()).await.expect("settled");
    assert_eq!((charge.cost.0, charge.how), (10 * 4_000 + 50 * OUT, How::Estimated));
    // And one that nobody settles costs what was held.
    let before = spent();
    drop(reserve().await.expect("admitted"));
    // Whatever is written afterwards was written after it.
    reserve().await.expect("admitted").release().await.expect("released");
    assert_eq!(spent(), before + most);
    assert!(verify(&house.store).is_empty(), "{:?}", verify(&house.store));
}

#[tokio::test]
async fn a_stream_holds_more_as_it_flows_and_is_stopped_when_no_more_can_be_had() {
    let quota = Nanos::dollars(1);
    let mut house = house(quota);
    let user = person(&house.store, "alice");
    let mut call = house.reserve(&user, &stream_call(100_000)).await.expect("admitted");
    assert_eq!(call.max_tokens(), 100_000);
    let (mut reader, mut asked) = (UsageReader::default(), 0);
    begin(&mut reader, 10);
    let stopped = loop {
        flow(&mut reader, 100);
        if !call.covers(&reader) {
            asked += 1;
            if let Err(out) = call.extend(&reader).await {
                break out;
            }
        }
        assert!(call.covers(&reader));
        assert!(house.meter.standing(user.id).expect("readable").held <= quota);
    };
    assert!((5..40).contains(&asked), "{asked} times is not rare");
    assert_eq!(stopped.quota, quota);
    let charge = call.settle(reader.progress()).await.expect("settled");
    assert!(charge.cost.0 <= quota.0, "{}", charge.cost.0);
    assert!(charge.cost.0 > quota.0 / 4, "a third of what was held, and not much less");
    assert!(house.notices.try_recv().is_err(), "there is something left");
    assert!(verify(&house.store).is_empty(), "{:?}", verify(&house.store));
}

#[tokio::test]
async fn an_answer_in_one_piece_is_no_longer_than_the_budget_buys() {
    let house = house(Nanos(EMPTY_PROMPT + 1_000 * OUT));
    let user = person(&house.store, "alice");
    let call = house.reserve(&user, &whole_call(64_000)).await.expect("admitted");
    assert_eq!(call.max_tokens(), 1_000);
    assert!(
        matches!(house.reserve(&user, &whole_call(1)).await, Err(Refused::OutOfBudget { .. })),
        "all of it is on hold"
    );
    call.release().await.expect("released");
    assert_eq!(house.reserve(&user, &whole_call(999)).await.expect("admitted").max_tokens(), 999);
}

#[tokio::test]
async fn a_long_prompt_is_refused_before_it_is_sent_and_counting_it_helps() {
    let house = house(Nanos::dollars(1));
    let user = person(&house.store, "alice");
    let long = Call { bytes: 300_000, ..stream_call(10) };
    match house.reserve(&user, &long).await {
        Err(error @ Refused::OutOfBudget { .. }) => {
            let text = error.to_string();
            assert_eq!(text, "$1.00 of the budget of $1.00 remain, and this call may cost $1.505200000");
        }
        other => panic!("{:?}", other.err()),
    }
    let counted = Call { counted: Some(60_000), ..long };
    house.reserve(&user, &counted).await.expect("admitted");
}

#[tokio::test]
async fn a_call_that_cannot_be_priced_is_refused() {
    let house = house(Nanos::dollars(1));
    let user = person(&house.store, "alice");
    let refused = |call: Call| {
        let (house, user) = (&house, &user);
        async move { house.reserve(user, &call).await.err().expect("refused").to_string() }
    };
    let call = stream_call(10);
    let text = refused(Call { model: "claude-fable-5-2\u{1b}[2J".to_owned(), ..call.clone() }).await;
    assert!(text.starts_with("the model \"claude-fable-5-2[2J\" is not known here; these are: claude-3-5"), "{text}");
    let text = refused(Call { speed: Some("turbo".to_owned()), ..call.clone() }).await;
    assert!(text.contains("speed turbo with claude-opus-5-5 has no known price"), "{text}");
    let own = Call { own_key: true, model: "nope".to_owned(), ..call.clone() };
    assert!(refused(own).await.contains("not known"));
    assert_eq!(house.meter.standing(user.id).expect("readable").in_flight, 0);
    // The operator adds a row, and the model is known.
    let shipped = include_str!("../../packaging/prices.toml");
    let prices = shipped.replace("\"claude-fable-5\",", "\"claude-fable-5-2\", \"claude-fable-5\",");
    house.meter.set_prices(Prices::parse(&prices).expect("a table"));
    let known = Call { model: "claude-fable-5-2".to_owned(), ..call };
    house.reserve(&user, &known).await.expect("admitted");
}

#[tokio::test]
async fn a_call_with_ones_own_key_is_metered_and_not_charged() {
    let house = house(Nanos::ZERO);
    let user = person(&house.store, "alice");
    let own = Call { own_key: true, ..stream_call(100_000) };
    let mut call = house.reserve(&user, &own).await.expect("no budget is needed");
    let mut reader = UsageReader::default();
    begin(&mut reader, 10);
    flow(&mut reader, 50_000);
    call.extend(&reader).await.expect("nothing stops it");
    end(&mut reader, 50_000);
    let charge = call.settle(reader.progress()).await.expect("settled");
    assert_eq!(charge.cost.0, 10 * 4_000 + 50_000 * OUT);
    let standing = house.meter.standing(user.id).expect("readable");
    assert_eq!((standing.spent, standing.own), (Nanos::ZERO, charge.cost));
    let row = house.meter.calls(user.id, 0).next().expect("a row").expect("readable");
    assert!(row.call.own);
    assert!(matches!(house.reserve(&user, &stream_call(1)).await, Err(Refused::OutOfBudget { .. })));
    assert!(verify(&house.store).is_empty(), "{:?}", verify(&house.store));
}

#[tokio::test]
async fn a_person_is_told_once_that_little_is_left_and_once_that_nothing_is() {
    let mut house = house(Nanos::dollars(1));
    let user = person(&house.store, "alice");
    let spend = |cents: u64| {
        let (meter, user) = (house.meter.clone(), user.clone());
        async move {
            let call = meter.reserve(user.id, &user.container, &whole_call(256)).await?;
            Ok::<_, Refused>(call.settle(answer(0, cents * 10_000_000 / OUT).progress()).await.expect("settled"))
        }
    };
    spend(79).await.expect("spent");
    assert!(house.notices.try_recv().is_err());
    for _ in 0..3 {
        spend(1).await.expect("spent");
    }
    let low = house.notices.try_recv().expect("told");
    assert_eq!((low.level, low.remaining, low.quota), (Level::Low, Nanos(200_000_000), Nanos::dollars(1)));
    house.meter.told(&low).await.expect("noted");
    spend(14).await.expect("spent");
    for _ in 0..5 {
        spend(3).await.err();
    }
    let out = house.notices.try_recv().expect("told");
    assert_eq!((out.user, out.level), (user.id, Level::Out));
    assert!(house.notices.try_recv().is_err(), "each only once");
    // Nobody said that the second was delivered: after a restart it is said again, and that only.
    let settings = Settings { quota: Nanos::dollars(1), ..Settings::default() };
    let (meter, mut notices) = opened(&house.store, &house.clock, settings);
    for _ in 0..2 {
        meter.reserve(user.id, &user.container, &whole_call(256)).await.err().expect("refused");
    }
    let again = notices.try_recv().expect("told again");
    assert_eq!((again.level, notices.try_recv().is_err()), (Level::Out, true));
    meter.told(&again).await.expect("noted");
    // With more to spend it can come to an end once more.
    assert_eq!(meter.set_quota(user.id, Some(Nanos::dollars(10))).await.expect("set").quota, Nanos::dollars(10));
    assert!(notices.try_recv().is_err());
    let call = meter.reserve(user.id, &user.container, &stream_call(1)).await.expect("admitted");
    call.settle(answer(0, 8_000_000_000 / OUT).progress()).await.expect("settled");
    assert_eq!(notices.try_recv().expect("told").level, Level::Low);
}

#[tokio::test]
async fn what_was_on_hold_when_the_platform_died_is_charged_when_it_starts() {
    let house = house(Nanos::dollars(5));
    let user = person(&house.store, "alice");
    let call = house.reserve(&user, &whole_call(100)).await.expect("admitted");
    std::mem::forget(call);
    assert_eq!(house.meter.standing(user.id).expect("readable").held.0, EMPTY_PROMPT + 100 * OUT);
    for _ in 0..2 {
        let (meter, _) = opened(&house.store, &house.clock, Settings::default());
        let standing = meter.standing(user.id).expect("readable");
        assert_eq!((standing.spent.0, standing.held.0, standing.in_flight), (EMPTY_PROMPT + 100 * OUT, 0, 0));
        assert_eq!(meter.calls(user.id, 0).count(), 1);
    }
    assert!(verify(&house.store).is_empty(), "{:?}", verify(&house.store));
}

#[tokio::test]
async fn what_somebody_spent_goes_with_their_account_even_while_they_call() {
    let house = house(Nanos::dollars(5));
    let (user, other) = (person(&house.store, "alice"), person(&house.store, "bobby"));
    for user in [&user, &other] {
        let call = house.reserve(user, &stream_call(10)).await.expect("admitted");
        call.settle(answer(1, 1).progress()).await.expect("settled");
    }
    let call = stream_call(10);
    let reserve = || house.reserve(&user, &call);
    let (settled, dropped) = (reserve().await.expect("admitted"), reserve().await.expect("admitted"));
    house.store.delete_account(&user, 9).expect("deleted");
    settled.settle(answer(1, 1).progress()).await.expect_err("nobody is there to charge");
    drop(dropped);
    assert!(matches!(reserve().await, Err(Refused::Store(_))));
    assert_eq!(house.meter.calls(user.id, 0).count(), 0);
    assert_eq!(house.store.balance(user.id).expect("readable"), None);
    assert_eq!(house.meter.calls(other.id, 0).count(), 1);
    assert!(verify(&house.store).is_empty(), "{:?}", verify(&house.store));
}

/// What a crash at this moment would leave of a house's store.
fn crashed(house: &House) -> (tempfile::TempDir, matrixos_store::Store) {
    let copy = tempfile::tempdir().expect("a folder");
    for entry in std::fs::read_dir(house.folder.path().join("store")).expect("a folder") {
        let from = entry.expect("an entry").path();
        // The ballast is large and says nothing.
        if from.is_file() && !from.ends_with("ballast") {
            std::fs::copy(&from, copy.path().join(from.file_name().expect("a name"))).expect("copied");
        }
    }
    let store = reopened(copy.path());
    (copy, store)
}

#[tokio::test]
async fn a_hold_is_on_the_disk_when_it_is_given_and_a_charge_counts_before_it_is() {
    let house = house(Nanos(EMPTY_PROMPT + LEASE));
    let user = person(&house.store, "alice");
    let first = house.reserve(&user, &stream_call(100_000)).await.expect("there is as much");
    let (_copy, found) = crashed(&house);
    assert_eq!(found.leases().expect("readable").len(), 1, "at once");
    let (after, _) = opened(&found, &house.clock, Settings::default());
    assert_eq!(after.standing(user.id).expect("readable").spent.0, EMPTY_PROMPT + LEASE, "and charged after a crash");
    // Nobody waits for the charge, and the next call of the same person finds what it gave back.
    let charging = first.charge(&answer(10, 10).progress());
    let cost = 10 * 4_000 + 10 * OUT;
    assert_eq!(charging.remaining().0, EMPTY_PROMPT + LEASE - cost);
    house.meter.catch_up(user.id).await.expect("done");
    assert_eq!(house.meter.standing(user.id).expect("readable").spent.0, cost);
    let second = house.reserve(&user, &stream_call(4_000)).await.expect("given back");
    // That hold stands on the charge: a crash must not leave it alone, or the budget would be charged twice.
    let (_copy, found) = crashed(&house);
    assert_eq!(found.leases().expect("readable").len(), 1);
    let rows: Vec<How> = found.ledger(user.id, 0).map(|row| row.expect("readable").call.how).collect();
    assert_eq!((rows, verify(&found)), (vec![How::Exact], vec![]));
    assert_eq!(charging.written().await.expect("written").cost.0, cost);
    second.release().await.expect("released");
}

#[tokio::test]
async fn whoever_asks_after_a_charge_finds_it_however_much_is_put_off() {
    let house = house(Nanos::dollars(5));
    let people: Vec<_> = (0..60).map(|number| person(&house.store, &format!("person{number}"))).collect();
    let mut calls = Vec::new();
    for user in &people {
        calls.push(house.reserve(user, &stream_call(10)).await.expect("admitted"));
    }
    let paid: Vec<_> = calls.into_iter().map(|call| call.charge(&answer(10, 10).progress())).collect();
    for user in people.iter().rev() {
        house.meter.catch_up(user.id).await.expect("done");
        let standing = house.meter.standing(user.id).expect("readable");
        assert_eq!((standing.spent.0, standing.held, standing.in_flight), (10 * 4_000 + 10 * OUT, Nanos::ZERO, 0));
    }
    for charging in paid {
        charging.written().await.expect("on the disk, though nobody asked for it");
    }
    assert!(verify(&house.store).is_empty(), "{:?}", verify(&house.store));
}
