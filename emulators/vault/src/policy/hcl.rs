//! The part of HCL that policies are written in, read into JSON: `key = value`, `block "label" { … }`, lists, texts,
//! numbers and truth values, with all three forms of comments.

use serde_json::{Map, Value};

/// How deep blocks and lists may lie in each other.
const DEEPEST: usize = 32;

/// Reads a text. A labelled block becomes an object in an object, and blocks of one name and label are kept side by side
/// in an array.
///
/// # Errors
/// What was expected, with the line and column.
pub(super) fn parse(text: &str) -> Result<Map<String, Value>, String> {
    let mut reader = Reader {
        rest: text,
        line: 1,
        column: 1,
    };
    let object = reader.object(0, None)?;
    Ok(object)
}

struct Reader<'a> {
    rest: &'a str,
    line: usize,
    column: usize,
}

// === impl Reader ===

impl Reader<'_> {
    fn fail<T>(&self, what: &str) -> Result<T, String> {
        Err(format!("At {}:{}: {what}", self.line, self.column))
    }

    fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    fn next(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.rest = &self.rest[c.len_utf8()..];
        if c == '\n' {
            self.line += 1;
            self.column = 1;
        } else {
            self.column += 1;
        }
        Some(c)
    }

    /// Leaves out blanks and comments.
    fn skip(&mut self) -> Result<(), String> {
        loop {
            match self.peek() {
                Some(c) if c.is_whitespace() => {
                    self.next();
                }
                Some('#') => self.skip_line(),
                Some('/') if self.rest.starts_with("//") => self.skip_line(),
                Some('/') if self.rest.starts_with("/*") => {
                    let Some(end) = self.rest.find("*/") else {
                        return self.fail("comment not terminated");
                    };
                    let stop = self.rest.len() - end - 2;
                    while self.rest.len() > stop {
                        self.next();
                    }
                }
                _ => return Ok(()),
            }
        }
    }

    fn skip_line(&mut self) {
        while self.next().is_some_and(|c| c != '\n') {}
    }

    /// The entries up to `end`, or to the end of the text.
    fn object(&mut self, depth: usize, end: Option<char>) -> Result<Map<String, Value>, String> {
        if depth > DEEPEST {
            return self.fail("blocks lie too deep in each other");
        }
        let mut object = Map::new();
        loop {
            self.skip()?;
            match self.peek() {
                None if end.is_none() => return Ok(object),
                None => {
                    // Its end is one column beyond the last.
                    self.column += 1;
                    return self.fail("object expected closing RBRACE got: EOF");
                }
                Some(c) if Some(c) == end => {
                    self.next();
                    return Ok(object);
                }
                Some(',') => {
                    self.next();
                    continue;
                }
                Some(_) => {}
            }
            self.entry(depth, &mut object)?;
        }
    }

    fn entry(&mut self, depth: usize, object: &mut Map<String, Value>) -> Result<(), String> {
        let key = self.key()?;
        let mut labels = Vec::new();
        loop {
            self.skip()?;
            match self.peek() {
                Some('=' | ':') if labels.is_empty() => {
                    self.next();
                    let value = self.value(depth)?;
                    object.insert(key, value);
                    return Ok(());
                }
                Some('{') => {
                    self.next();
                    let block = Value::Object(self.object(depth + 1, Some('}'))?);
                    let nested = labels.into_iter().rev().fold(block, |inner, label| {
                        let mut outer = Map::new();
                        outer.insert(label, inner);
                        Value::Object(outer)
                    });
                    match object.entry(key).or_insert_with(|| Value::Array(Vec::new())) {
                        Value::Array(blocks) => blocks.push(nested),
                        other => *other = nested,
                    }
                    return Ok(());
                }
                Some('"') => labels.push(self.quoted()?),
                _ => return self.fail("expected an assignment or a block"),
            }
        }
    }

    fn key(&mut self) -> Result<String, String> {
        if self.peek() == Some('"') {
            return self.quoted();
        }
        let word = self.word();
        if word.is_empty() {
            return self.fail("expected a key");
        }
        Ok(word)
    }

    fn word(&mut self) -> String {
        let mut word = String::new();
        while let Some(c) = self.peek().filter(|c| c.is_alphanumeric() || "_-.".contains(*c)) {
            word.push(c);
            self.next();
        }
        word
    }

    fn quoted(&mut self) -> Result<String, String> {
        self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None | Some('\n') => return self.fail("literal not terminated"),
                Some('"') => return Ok(text),
                Some('\\') => match self.next() {
                    Some('n') => text.push('\n'),
                    Some('t') => text.push('\t'),
                    Some('r') => text.push('\r'),
                    Some(c @ ('"' | '\\')) => text.push(c),
                    _ => return self.fail("illegal char escape"),
                },
                Some(c) => text.push(c),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Value, String> {
        if depth > DEEPEST {
            return self.fail("values lie too deep in each other");
        }
        self.skip()?;
        match self.peek() {
            Some('"') => self.quoted().map(Value::String),
            Some('{') => {
                self.next();
                self.object(depth + 1, Some('}')).map(Value::Object)
            }
            Some('[') => {
                self.next();
                let mut items = Vec::new();
                loop {
                    self.skip()?;
                    match self.peek() {
                        Some(']') => {
                            self.next();
                            return Ok(Value::Array(items));
                        }
                        Some(',') => {
                            self.next();
                        }
                        None => return self.fail("list not terminated"),
                        Some(_) => items.push(self.value(depth + 1)?),
                    }
                }
            }
            _ => {
                let word = self.word();
                match word.as_str() {
                    "true" => Ok(Value::Bool(true)),
                    "false" => Ok(Value::Bool(false)),
                    _ => match word.parse::<i64>() {
                        Ok(number) => Ok(number.into()),
                        Err(_) => self.fail("unknown token"),
                    },
                }
            }
        }
    }
}
