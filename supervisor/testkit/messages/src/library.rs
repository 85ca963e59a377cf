//! The scripts' files, carried in the program so that it works wherever it is copied.

/// What a file holds.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Kind {
    /// `.sse`
    Events,
    /// `.json`
    Document,
}

/// One file.
pub(crate) struct File {
    pub(crate) name: &'static str,
    pub(crate) kind: Kind,
    pub(crate) text: &'static str,
}

macro_rules! files {
    ($($kind:ident $name:literal $end:literal),* $(,)?) => {
        &[$(File { name: $name, kind: Kind::$kind, text: include_str!(concat!("../scripts/", $name, $end)) }),*]
    };
}

/// All of them; a test compares this list with the folder.
#[rustfmt::skip]
pub(crate) const FILES: &[File] = files![
    Document "400" ".json",
    Document "401" ".json",
    Document "402" ".json",
    Document "413" ".json",
    Document "429" ".json",
    Document "500" ".json",
    Document "503" ".json",
    Document "529" ".json",
    Events "advisor" ".sse",
    Events "cache-1h" ".sse",
    Events "cache-5m" ".sse",
    Events "cache-both" ".sse",
    Events "compaction" ".sse",
    Events "crlf" ".sse",
    Events "cut-first" ".sse",
    Events "cut-headers" ".sse",
    Events "cut-last" ".sse",
    Events "cut-middle" ".sse",
    Events "drip" ".sse",
    Events "error-midstream" ".sse",
    Events "fallback" ".sse",
    Events "fast" ".sse",
    Events "geo-us" ".sse",
    Events "gzip" ".sse",
    Events "haiku-large" ".sse",
    Events "haiku-small" ".sse",
    Events "hang-headers" ".sse",
    Events "hang-midstream" ".sse",
    Events "hostile-huge" ".sse",
    Events "hostile-missing" ".sse",
    Events "hostile-nan" ".sse",
    Events "hostile-negative" ".sse",
    Events "hostile-null" ".sse",
    Events "hostile-overflow" ".sse",
    Events "hostile-shrinking" ".sse",
    Events "hostile-string" ".sse",
    Document "html" ".json",
    Events "long" ".sse",
    Events "pings" ".sse",
    Events "split" ".sse",
    Document "text-json" ".json",
    Events "text" ".sse",
    Events "thinking" ".sse",
    Events "tool" ".sse",
    Events "tools-parallel" ".sse",
    Events "web-search" ".sse",
];

pub(crate) fn find(name: &str) -> Option<&'static File> {
    FILES.iter().find(|file| file.name == name)
}

#[cfg(test)]
mod tests {
    use super::FILES;

    #[test]
    fn every_file_of_the_folder_is_carried() {
        let folder = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/scripts")).expect("the folder");
        let stem = |entry: std::io::Result<std::fs::DirEntry>| {
            entry.expect("an entry").path().file_stem().expect("a name").to_string_lossy().into_owned()
        };
        let mut there: Vec<String> = folder.map(stem).collect();
        there.sort();
        assert_eq!(there, FILES.iter().map(|file| file.name.to_owned()).collect::<Vec<_>>());
    }
}
