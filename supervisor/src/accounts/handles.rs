//! Which handles may be had: syntax, the reserved list, and suggestions when one may not.

use std::collections::HashSet;
use std::sync::LazyLock;

use matrixos_store::{Store, StoreError};
use matrixos_types::{Handle, HandleError};

/// Suggestions given at once.
const SUGGESTED: usize = 3;

static RESERVED: LazyLock<HashSet<&'static str>> = LazyLock::new(|| {
    include_str!("reserved.txt").lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#')).collect()
});

/// Whether a handle may be had. Taken, deleted and reserved ones look the same to whoever asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// It may be had.
    Available(Handle),
    /// It may not; these may.
    Unavailable(Vec<String>),
    /// It is not a handle at all.
    Malformed(HandleError),
}

/// Looks a text up, as it was typed.
pub(super) fn availability(store: &Store, text: &str) -> Result<Availability, StoreError> {
    match Handle::parse(text) {
        Err(error) => Ok(Availability::Malformed(error)),
        Ok(handle) if is_free(store, &handle)? => Ok(Availability::Available(handle)),
        Ok(handle) => Ok(Availability::Unavailable(suggestions(store, &handle)?)),
    }
}

fn is_free(store: &Store, handle: &Handle) -> Result<bool, StoreError> {
    // The name of every user's AI is {handle}_ai; a handle that ends in -ai would pass for one.
    let passes_for_an_ai = handle.as_str().ends_with("-ai");
    Ok(!RESERVED.contains(handle.as_str()) && !passes_for_an_ai && !store.is_taken(handle)?)
}

/// Handles near the wanted one that can be had.
pub(super) fn suggestions(store: &Store, wanted: &Handle) -> Result<Vec<String>, StoreError> {
    let stem: String = wanted.as_str().chars().take(Handle::MAX - 5).collect();
    let stem = stem.trim_end_matches('-');
    let endings = ["-os", "7", "-home", "-x", "42", "-pc", "101", "-one", "88", "-lab"];
    let mut found = Vec::new();
    for ending in endings {
        if let Ok(handle) = Handle::parse(&format!("{stem}{ending}"))
            && is_free(store, &handle)?
        {
            found.push(handle.to_string());
        }
        if found.len() == SUGGESTED {
            break;
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_reserved_name_is_a_handle_that_somebody_could_want() {
        for name in RESERVED.iter() {
            assert!(Handle::parse(name).is_ok() || name.len() < Handle::MIN, "{name} reserves nothing");
        }
    }

    #[test]
    fn reserved_and_taken_look_the_same_and_come_with_free_suggestions() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = Store::open(folder.path()).expect("a store");
        let long = format!("{}-ai", "a".repeat(28));
        for text in ["admin", "www", "hamed-ai", &long] {
            let Ok(Availability::Unavailable(suggestions)) = availability(&store, text) else {
                panic!("{text} is available")
            };
            assert_eq!(suggestions.len(), SUGGESTED);
            for suggestion in suggestions {
                assert!(matches!(availability(&store, &suggestion), Ok(Availability::Available(_))), "{suggestion}");
            }
        }
        assert!(matches!(availability(&store, "Hamed"), Ok(Availability::Malformed(HandleError::FirstCharacter))));
    }
}
