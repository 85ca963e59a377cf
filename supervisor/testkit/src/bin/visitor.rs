//! People without a browser, for tests of a whole machine: they sign up and sign in over real HTTP with a software
//! authenticator, and visit their computers as their browsers would.

use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use clap::{Parser, Subcommand};
use http_body_util::{BodyExt, Full};
use hyper::header::{HeaderMap, LOCATION, SET_COOKIE};
use hyper::{Method, Request, StatusCode};
use hyper_util::rt::TokioIo;
use matrixos_testkit::authenticator::Device;
use serde_json::{Value, json};
use tokio::net::TcpStream;
use url::Url;

const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_secs(1);

#[derive(Parser)]
struct Cli {
    /// Where the platform's door is reached: its own address, or a tunnel to it.
    #[arg(long, default_value = "127.0.0.1:8080")]
    connect: SocketAddr,
    /// What people type.
    #[arg(long, default_value = "http://localhost:8080")]
    origin: Url,
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Sign up, and print the cookie of the session.
    SignUp { handle: String },
    /// As a signed-in person, go to one's own computer, and print the cookie that opens it from then on.
    Enter {
        handle: String,
        /// The cookie that `sign-up` printed.
        cookie: String,
    },
    /// Ask a computer for a path with the cookie that `enter` printed; print what it answers.
    Ask { handle: String, cookie: String, path: String },
    /// As a signed-in person, go to one's own computer and ask it for a path; print what it answers.
    Visit {
        handle: String,
        /// The cookie that `sign-up` printed.
        cookie: String,
        path: String,
        /// Send this with PUT instead of asking.
        #[arg(long)]
        put: Option<String>,
    },
    /// Sign up one person after the other until the platform is gone, wait until it is back, and sign in as each one
    /// whose sign-up it had acknowledged. Prints a line for each.
    ThroughACut {
        prefix: String,
        /// How many at most.
        #[arg(long, default_value_t = 40)]
        count: usize,
        /// Seconds until the platform must be back.
        #[arg(long, default_value_t = 600)]
        back_within: u64,
    },
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let cli = Cli::parse();
    let site = Site { connect: cli.connect, origin: cli.origin };
    match cli.command {
        Command::SignUp { handle } => {
            println!("{}", site.sign_up(&mut Device::at(&site.name()), &handle).await?);
            Ok(())
        }
        Command::Enter { handle, cookie } => {
            println!("{}", enter(&site, &handle, &cookie).await?.1);
            Ok(())
        }
        Command::Ask { handle, cookie, path } => {
            tell(site.ask(Method::GET, &site.computer(&handle)?.join(&path)?, &cookie, "").await?, &path)
        }
        Command::Visit { handle, cookie, path, put } => visit(&site, &handle, &cookie, &path, put).await,
        Command::ThroughACut { prefix, count, back_within } => {
            through_a_cut(&site, &prefix, count, Duration::from_secs(back_within)).await
        }
    }
}

struct Site {
    connect: SocketAddr,
    origin: Url,
}

/// Who sends a request, as the browser tells the server.
enum By {
    Page,
    Person,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Site {
    /// The origin as browsers write it, without a path.
    fn name(&self) -> String {
        self.origin.as_str().trim_end_matches('/').to_owned()
    }

    /// Somebody's computer.
    fn computer(&self, handle: &str) -> Result<Url> {
        let mut home = self.origin.clone();
        home.set_host(Some(&format!("{handle}.{}", self.origin.host_str().context("an origin without a host")?)))?;
        Ok(home)
    }

    /// One request over a connection of its own: as a page of the same origin would send it, or as a person who opens an
    /// address.
    async fn send(&self, by: By, method: Method, url: &Url, cookie: &str, body: Bytes) -> Result<Answer> {
        let stream = TcpStream::connect(self.connect).await.context("cannot reach the platform")?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        let driver = tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(&url[url::Position::BeforePath..])
            .header("host", &url[url::Position::BeforeHost..url::Position::AfterPort])
            .header("content-type", "application/json")
            .header("cookie", cookie);
        let request = match by {
            By::Page => {
                request.header("origin", url.origin().ascii_serialization()).header("sec-fetch-site", "same-origin")
            }
            By::Person => request
                .header("sec-fetch-site", "none")
                .header("sec-fetch-mode", "navigate")
                .header("sec-fetch-dest", "document"),
        };
        let request = request.body(Full::new(body))?;
        let (head, body) = sender.send_request(request).await?.into_parts();
        let body = body.collect().await?.to_bytes();
        driver.abort();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }

    /// [`Site::send`] with a limit of time, since a machine without power does not even close its connections.
    async fn ask(&self, method: Method, url: &Url, cookie: &str, body: impl Into<Bytes>) -> Result<Answer> {
        tokio::time::timeout(PATIENCE, self.send(By::Page, method, url, cookie, body.into()))
            .await
            .context("no answer in time")?
    }

    /// A person opens an address.
    async fn open(&self, url: &Url, cookie: &str) -> Result<Answer> {
        tokio::time::timeout(PATIENCE, self.send(By::Person, Method::GET, url, cookie, Bytes::new()))
            .await
            .context("no answer in time")?
    }

    /// A step of a ceremony. Waits where the platform says that this address has asked too often.
    async fn post(&self, path: &str, body: &Value) -> Result<Answer> {
        let url = self.origin.join(path)?;
        loop {
            let answer = self.ask(Method::POST, &url, "", body.to_string()).await?;
            match answer.status {
                StatusCode::TOO_MANY_REQUESTS => tokio::time::sleep(PAUSE).await,
                status if status.is_success() => return Ok(answer),
                status => bail!("{path}: {status} {}", String::from_utf8_lossy(&answer.body)),
            }
        }
    }

    /// A whole ceremony; gives the session's cookie.
    async fn ceremony(
        &self,
        kind: &str,
        asked: &Value,
        sign: impl FnOnce(&Value) -> Option<Value>,
    ) -> Result<(Value, String)> {
        let started = self.post(&format!("/api/{kind}/start"), asked).await?;
        let started: Value = serde_json::from_slice(&started.body)?;
        let credential = sign(&started["publicKey"]).context("the authenticator refused")?;
        let finish = json!({ "ceremony": started["ceremony"], "credential": credential });
        let finished = self.post(&format!("/api/{kind}/finish"), &finish).await?;
        Ok((serde_json::from_slice(&finished.body)?, cookie(&finished.headers)?))
    }

    async fn sign_up(&self, device: &mut Device, handle: &str) -> Result<String> {
        let (arrived, cookie) =
            self.ceremony("signup", &json!({ "handle": handle }), |options| device.register(options)).await?;
        ensure!(arrived["handle"] == handle, "signed up as {} instead of {handle}", arrived["handle"]);
        Ok(cookie)
    }

    async fn sign_in(&self, device: &mut Device, handle: &str) -> Result<()> {
        let (arrived, _) = self.ceremony("login", &json!({}), |options| device.sign_in(options)).await?;
        ensure!(arrived["handle"] == handle, "signed in as {} instead of {handle}", arrived["handle"]);
        Ok(())
    }

    async fn answers(&self) -> bool {
        let Ok(url) = self.origin.join("/health") else { return false };
        self.ask(Method::GET, &url, "", "").await.is_ok_and(|answer| answer.status == StatusCode::OK)
    }
}

/// The cookies that an answer sets, as a browser sends them back.
fn cookie(headers: &HeaderMap) -> Result<String> {
    let set = headers.get_all(SET_COOKIE).iter().filter_map(|value| value.to_str().ok()?.split(';').next());
    let cookies = set.collect::<Vec<_>>().join("; ");
    ensure!(!cookies.is_empty(), "no cookie was set");
    Ok(cookies)
}

fn location(answer: &Answer) -> Result<Url> {
    ensure!(answer.status.is_redirection(), "no redirect but {}", answer.status);
    Ok(Url::parse(answer.headers.get(LOCATION).context("a redirect to nowhere")?.to_str()?)?)
}

/// Where a person has come in, and the cookie that they have there. The way in begins at the computer, goes through the
/// platform's door, and back.
async fn enter(site: &Site, handle: &str, session: &str) -> Result<(Url, String)> {
    let home = site.computer(handle)?;
    let away = site.open(&home, "").await?;
    let door = site.open(&location(&away)?, session).await?;
    let enter = location(&door)?;
    let entered = site.open(&enter, &cookie(&away.headers)?).await?;
    Ok((enter, cookie(&entered.headers).context("the computer's door did not open")?))
}

async fn visit(site: &Site, handle: &str, session: &str, path: &str, put: Option<String>) -> Result<()> {
    let (inside, computer) = enter(site, handle, session).await?;
    let method = if put.is_some() { Method::PUT } else { Method::GET };
    tell(site.ask(method, &inside.join(path)?, &computer, put.unwrap_or_default()).await?, path)
}

fn tell(answer: Answer, path: &str) -> Result<()> {
    std::io::stdout().write_all(&answer.body)?;
    ensure!(answer.status.is_success(), "{path}: {}", answer.status);
    Ok(())
}

async fn through_a_cut(site: &Site, prefix: &str, count: usize, back_within: Duration) -> Result<()> {
    let mut people = Vec::new();
    for number in 1..=count {
        let (handle, mut device) = (format!("{prefix}{number}"), Device::at(&site.name()));
        match site.sign_up(&mut device, &handle).await {
            Ok(_) => println!("acknowledged {handle}"),
            Err(error) => {
                println!("gone while {handle} signed up: {error:#}");
                break;
            }
        }
        people.push((handle, device));
    }
    ensure!(people.len() < count, "all {count} had signed up before the platform was gone");
    wait_for(site, back_within).await?;
    let mut lost = 0;
    for (handle, device) in &mut people {
        match site.sign_in(device, handle).await {
            Ok(()) => println!("signed in {handle}"),
            Err(error) => {
                lost += 1;
                println!("lost {handle}: {error:#}");
            }
        }
    }
    ensure!(lost == 0 && !people.is_empty(), "{lost} of {} acknowledged people were lost", people.len());
    Ok(())
}

async fn wait_for(site: &Site, within: Duration) -> Result<()> {
    let back = async {
        while !site.answers().await {
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::time::timeout(within, back).await.context("the platform did not come back")
}
