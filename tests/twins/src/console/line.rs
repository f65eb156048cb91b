//! A line of input.

use std::time::Duration;

/// What a line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The person writes this.
    Write(&'a str),
    /// Something else is to be done.
    Command {
        /// What: the word after the slash.
        verb: &'a str,
        /// What follows it.
        rest: &'a str,
    },
}

impl<'a> Line<'a> {
    /// Reads a line; absent where it is empty.
    pub(crate) fn parse(line: &'a str) -> Option<Self> {
        let line = line.trim();
        let Some(command) = line.strip_prefix('/') else {
            return (!line.is_empty()).then_some(Self::Write(line));
        };
        if command.starts_with('/') {
            return Some(Self::Write(command));
        }
        let (verb, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        Some(Self::Command { verb, rest: rest.trim() })
    }

    /// What follows the command.
    pub(crate) fn rest(self) -> &'a str {
        match self {
            Self::Write(_) => "",
            Self::Command { rest, .. } => rest,
        }
    }

    /// What follows the command, which has to be something.
    pub(crate) fn one(self, what: &str) -> Result<&'a str, String> {
        let rest = self.rest();
        if rest.is_empty() { Err(format!("/{} needs {what}", self.verb())) } else { Ok(rest) }
    }

    /// Two numbers: a latitude and a longitude.
    pub(crate) fn place(self) -> Result<(f64, f64), String> {
        let degrees = |text: &str, most: f64| {
            text.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most)
        };
        let pair = self.rest().split_once(char::is_whitespace);
        pair.and_then(|(latitude, longitude)| {
            Some((degrees(latitude, 90.0)?, degrees(longitude.trim(), 180.0)?))
        })
        .ok_or_else(|| {
            format!("/{} needs a latitude and a longitude, as `50.94 6.96`", self.verb())
        })
    }

    /// What is said of a command that nobody knows.
    pub(crate) fn unknown(self) -> String {
        format!("there is no /{}: /help lists what there is", self.verb())
    }

    fn verb(self) -> &'a str {
        match self {
            Self::Write(_) => "",
            Self::Command { verb, .. } => verb,
        }
    }
}

/// A number of seconds.
pub(crate) fn seconds(line: Line<'_>) -> Result<Duration, String> {
    let seconds = line.rest().parse().ok();
    let seconds = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| format!("/{} needs a number of seconds", line.verb()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words_or_commands() {
        let command = |verb, rest| Some(Line::Command { verb, rest });
        let rows = [
            ("", None),
            ("  hello there ", Some(Line::Write("hello there"))),
            ("//start", Some(Line::Write("/start"))),
            ("/start", command("start", "")),
            ("/click  rye loaf ", command("click", "rye loaf")),
        ];
        for (line, expect) in rows {
            assert_eq!(Line::parse(line), expect, "{line}");
        }
    }

    #[test]
    fn what_follows_a_command_is_checked() {
        let line = |text| Line::parse(text).unwrap();
        assert_eq!(line("/click a b").one("an id"), Ok("a b"));
        assert_eq!(line("/click").one("an id"), Err("/click needs an id".to_owned()));
        assert_eq!(line("/location 50.94  6.96").place(), Ok((50.94, 6.96)));
        for wrong in ["/location 91 0", "/location here", "/location"] {
            assert!(line(wrong).place().unwrap_err().contains("latitude"), "{wrong}");
        }
        assert_eq!(seconds(line("/wait 0.5")), Ok(Duration::from_millis(500)));
        assert!(seconds(line("/wait -1")).unwrap_err().contains("seconds"));
        assert!(line("/shout").unknown().contains("no /shout"));
    }
}
