/// One line of an attempt's log.
pub struct LogLine {
    pub level: &'static str,
    pub message: String,
}

/// What wrote an entry: raw text of stderr, or a structured line of a level.
#[derive(Clone, Copy, PartialEq)]
pub enum Source {
    Stderr,
    Line(&'static str),
}

/// The log of one attempt, cut at its limit.
#[derive(Default)]
pub struct Log {
    entries: Vec<(Source, Vec<u8>)>,
    /// Bytes that were written, also those behind the limit.
    written: usize,
}

impl Log {
    /// Adds text. Where it does not fit, as much is kept as does, and the bytes are returned that were written in all.
    pub fn write(&mut self, source: Source, text: &[u8], limit: usize) -> Option<usize> {
        if source == Source::Stderr && text.is_empty() {
            return None;
        }
        let kept = &text[..text.len().min(limit.saturating_sub(self.written))];
        // A structured line counts its line break, so that empty ones end too.
        let line_break = usize::from(source != Source::Stderr);
        self.written = self.written.saturating_add(text.len() + line_break);
        match self.entries.last_mut() {
            // A program may write one byte at a time.
            Some((Source::Stderr, earlier)) if source == Source::Stderr => {
                earlier.extend_from_slice(kept)
            }
            _ => self.entries.push((source, kept.to_vec())),
        }
        (self.written > limit).then_some(self.written)
    }

    /// Takes all lines out.
    pub fn take_lines(&mut self) -> Vec<LogLine> {
        let mut lines = Vec::new();
        for (source, text) in self.entries.drain(..) {
            let text = String::from_utf8_lossy(&text);
            match source {
                Source::Line(level) => lines.push(LogLine {
                    level,
                    message: text.into_owned(),
                }),
                Source::Stderr => {
                    let ended = text.strip_suffix('\n').unwrap_or(&text);
                    lines.extend(ended.split('\n').map(|line| LogLine {
                        level: "info",
                        message: line.strip_suffix('\r').unwrap_or(line).to_owned(),
                    }));
                }
            }
        }
        lines
    }
}
