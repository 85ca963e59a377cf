//! Bytes as a line of text: printable ASCII as it is, a backslash doubled, everything else as `\xNN`.

/// The bytes that a line stands for.
pub fn read(line: &str) -> Vec<u8> {
    let (mut bytes, mut rest) = (Vec::new(), line);
    while let Some((before, escaped)) = rest.split_once('\\') {
        bytes.extend(before.as_bytes());
        rest = match escaped.strip_prefix('\\') {
            Some(after) => {
                bytes.push(b'\\');
                after
            }
            None => {
                let code = escaped.strip_prefix('x').and_then(|code| code.get(..2));
                bytes.push(code.and_then(|code| u8::from_str_radix(code, 16).ok()).expect("\\\\ or \\xNN"));
                &escaped[3..]
            }
        };
    }
    bytes.extend(rest.as_bytes());
    bytes
}

/// The line that stands for these bytes.
pub fn write(bytes: &[u8]) -> String {
    let written = |byte: &u8| match byte {
        b'\\' => "\\\\".to_owned(),
        b' '..=b'~' => char::from(*byte).to_string(),
        other => format!("\\x{other:02x}"),
    };
    bytes.iter().map(written).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_comes_back() {
        let all: Vec<u8> = (0..=255).chain(*b"\\x41 \\\\").collect();
        assert_eq!(read(&write(&all)), all);
        assert_eq!(read("a\\x0d\\x0a\\\\b"), b"a\r\n\\b");
    }
}
