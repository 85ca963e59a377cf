//! Whether what a command says may be somebody else's words: what it fetches, and what files hold. Such a command is asked
//! for before any foreign words were read, so nobody hides it: it has to be recognised, not contained. A program that is
//! not known to say only its own words may say anybody's.

use super::guard::{OWN, is_of_conversations};

/// What shows that a command brings in text from elsewhere, or from the past of a folder.
const FETCHES: &[&str] = &[
    "http:",
    "https:",
    "curl",
    "wget",
    "git clone",
    "git pull",
    "git fetch",
    "git log",
    "git show",
    "git diff",
    "git grep",
    "nc ",
    "pip ",
    "ssh ",
    "xargs",
    "-exec",
];
/// Programs that say nothing, or nothing but their own words and the names of files.
const OWN_WORDS: &[&str] = &[
    "[", "basename", "cal", "cd", "chmod", "command", "cp", "date", "df", "dirname", "du", "echo", "exit", "export",
    "false", "file", "free", "git", "hostname", "id", "kill", "ln", "ls", "mkdir", "mktemp", "mv", "pgrep", "printf",
    "ps", "pwd", "realpath", "rm", "rmdir", "seq", "set", "sleep", "stat", "test", "touch", "tree", "true", "uname",
    "unset", "unzip", "uptime", "wait", "wc", "which", "whoami", "yes", "zip",
];
/// Words of the shell before a program, or in the place of one.
const SHELL: &[&str] =
    &["!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "then", "time", "until", "while", "{", "}"];
/// Programs that say what files hold, and those that run what they are given. They say their own words where they are
/// given no file, or only the AI's own.
const READERS: &[&str] = &[
    "cat",
    "tac",
    "nl",
    "head",
    "tail",
    "less",
    "more",
    "bat",
    "grep",
    "egrep",
    "fgrep",
    "rg",
    "ag",
    "sed",
    "awk",
    "gawk",
    "cut",
    "sort",
    "uniq",
    "tr",
    "fold",
    "column",
    "paste",
    "comm",
    "diff",
    "strings",
    "xxd",
    "od",
    "hexdump",
    "base64",
    "jq",
    "yq",
    "zcat",
    "sqlite3",
    "pdftotext",
    "python",
    "python3",
    "node",
    "perl",
    "ruby",
    "php",
    "bash",
    "sh",
    "source",
    "read",
    "mapfile",
];

/// Whether words of somebody else may be in what this command says.
pub(super) fn brings_in(command: &str) -> bool {
    if FETCHES.iter().any(|mark| command.contains(mark)) {
        return true;
    }
    let mut piped = false;
    without_written(command).split_inclusive(['|', ';', '&', '\n', '(', ')', '`']).any(|part| {
        let words = part.trim_end_matches(['|', ';', '&', '\n', '(', ')', '`']);
        let foreign = reads(words, piped);
        // Of `||` the second stroke stands alone: nothing flows through it.
        piped = part.ends_with('|') && !words.trim().is_empty();
        foreign
    })
}

/// What `cat > file <<END` writes is the AI's own; neither it nor where it goes is read.
fn without_written(command: &str) -> String {
    let (mut kept, mut end) = (String::new(), None::<String>);
    for line in command.lines() {
        if let Some(mark) = &end {
            end = (line.trim() != mark).then(|| mark.clone());
            continue;
        }
        let document = line.trim_start().strip_prefix("cat >").and_then(|rest| rest.split_once("<<"));
        end = document.map(|(_, mark)| mark.trim_matches(|c: char| !c.is_alphanumeric() && c != '_').to_owned());
        if end.is_none() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

/// Whether one program of a command says what a file holds that others may have written.
fn reads(part: &str, piped: bool) -> bool {
    let words: Vec<&str> = part.split_whitespace().map(|word| word.trim_matches(['"', '\''])).collect();
    let is_reader = |word: &&&str| READERS.contains(&word.rsplit('/').next().unwrap_or_default());
    if part.contains('<') {
        return true;
    }
    let Some(reader) = words.iter().find(is_reader) else { return !says_own_words(&words) };
    let named = || words.iter().filter(|word| *word != reader && !word.starts_with('-'));
    let (own, others) =
        (named().any(|word| is_own(word)), named().any(|word| !is_own(word) && word.contains(['.', '/', '*'])));
    others || !(own || piped || named().next().is_none())
}

fn says_own_words(words: &[&str]) -> bool {
    let is_set = |word: &str| {
        word.split_once('=').is_some_and(|(name, _)| name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_'))
    };
    let mut words = words.iter();
    match words.find(|word| !is_set(word) && (!SHELL.contains(word) || **word == "for")) {
        // Of `for x in …` the rest are words, not programs.
        Some(program) => *program == "for" || OWN_WORDS.contains(&program.rsplit('/').next().unwrap_or_default()),
        None => true,
    }
}

/// A file in which only the owner, their apps' code and the AI write.
fn is_own(word: &str) -> bool {
    let path = word.strip_prefix(matrixos_types::computer::HOME).or_else(|| word.strip_prefix('~')).unwrap_or(word);
    let path = path.trim_start_matches("./").trim_start_matches('/');
    OWN.iter().any(|own| path.starts_with(own)) && !path.contains("..") && !is_of_conversations(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_files_hold_is_recognised() {
        for command in [
            "cat letter.txt",
            "cat letter",
            "ls; head -n 5 mail/1.eml",
            "false || cat letter",
            "ls && /bin/cat letter",
            "grep -r password",
            "rg secret",
            "tail -f data/log",
            "cat apps/todo.html letter.txt",
            "cat apps/../letter.txt",
            "cat system/conversations/visitor-x.jsonl",
            "echo $(cat letter)",
            "while read line; do echo $line; done < letter",
            "python3 -c \"print(open('letter.txt').read())\"",
            "python3 - <<END\nprint(open('letter.txt').read())\nEND",
            "cat > a <<END\nx\nEND\ncat letter",
            "ls | xargs cat",
            "find . -exec cat {} +",
            "git log",
            "curl -s https://example.org",
            "./letters",
            "make test",
            "rev letter",
            "A=1 dd if=letter",
            "if true; then rev letter; fi",
        ] {
            assert!(brings_in(command), "{command}");
        }
    }

    #[test]
    fn what_the_ai_does_by_itself_is_not() {
        for command in [
            "ls -la notes",
            "mkdir -p a/b && touch a/b/c",
            "cat apps/todo.html",
            "cat ./apps/todo.html | head -n 20",
            "grep -n title /home/matrixos/apps/todo.html",
            "ls | grep txt",
            "python3 --version",
            "cat > notes.md <<'END'\nsee a/b.c and cat letter\nEND",
            "date; df -h",
            "A=1 B=2 ls",
            "for x in one two; do echo $x; done",
            "if [ -e notes ]; then rm notes; else touch notes; fi",
            "! test -e notes",
            "git init && git add -A && git commit -m done",
        ] {
            assert!(!brings_in(command), "{command}");
        }
    }
}
