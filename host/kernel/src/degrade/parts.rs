//! The limits of what options consist of and of what stands around them.

use std::collections::BTreeSet;

use crate::degrade::Carrier;
use crate::degrade::menu::{line, present};
use crate::degrade::options::Labels;
use crate::profile::Length;
use crate::text;

impl Carrier<'_> {
    /// Not more options than the form has here.
    pub(super) fn count(&self, form: &str, options: usize) -> Result<(), String> {
        match self.profile.of(form).options.as_ref().filter(|count| options > count.max) {
            Some(most) => {
                Err(format!("`{form}` has at most {} options here, these are {options}", most.max))
            }
            None => Ok(()),
        }
    }

    /// Labels that can be tapped and told from each other.
    pub(super) fn labels<'l>(
        &mut self,
        form: &str,
        labels: impl Iterator<Item = Label<'l>>,
        allowed: Labels,
    ) -> Result<(), String> {
        let mut labels: Vec<_> = labels.collect();
        if labels.iter().any(|label| label.whole.trim().is_empty()) {
            return Err("an option without a label cannot be tapped".to_owned());
        }
        let Some(limit) = &self.profile.of(form).label else { return Ok(()) };
        if labels.iter().all(|label| limit.takes(label.whole)) {
            return Ok(());
        }
        if allowed == Labels::Whole {
            return Err(format!("labels have at most {limit} here"));
        }
        let own = |label: &Label<'_>| label.own(limit);
        let cut = |label: &Label<'_>| label.cut(limit);
        if replace(&mut labels, &own) {
            return Ok(());
        }
        if allowed == Labels::Own {
            return Err(format!("labels have at most {limit} here"));
        }
        let lacking = labels.iter().filter(|label| label.own(limit).is_none()).count();
        let long = labels.iter().filter(|label| !limit.takes(label.whole)).count();
        let mixed = |label: &Label<'_>| label.own(limit).or_else(|| label.cut(limit));
        let cut = if replace(&mut labels, &mixed) {
            lacking
        } else if replace(&mut labels, &cut) {
            long
        } else {
            return Err(format!("labels cut to {limit} could not be told from each other"));
        };
        self.note(format!("labels were cut: they have at most {limit} here ({cut} were longer)"));
        Ok(())
    }

    /// What is too long for its place stands below the text.
    pub(super) fn move_below(
        &mut self,
        part: &str,
        limit: Option<&Length>,
        from: &mut Option<String>,
        text: &mut String,
    ) {
        let too_long = |part: &mut String| limit.is_some_and(|limit| !limit.takes(part));
        if let Some(moved) = from.take_if(too_long) {
            self.note(format!("the {part} went into the text: it is too long for its place here"));
            *text = format!("{text}\n{moved}");
        }
    }

    /// Descriptions that are too long stand below the text, each behind its label.
    pub(super) fn move_descriptions<'l>(
        &mut self,
        form: &str,
        described: impl Iterator<Item = (&'l str, &'l mut Option<String>)>,
        text: &mut String,
    ) {
        let Some(limit) = &self.profile.of(form).description else { return };
        let mut moved = 0;
        for (label, description) in described {
            if let Some(long) = description.take_if(|description| !limit.takes(description)) {
                *text = format!("{text}\n{}", line(label, Some(&long)));
                moved += 1;
            }
        }
        if moved > 0 {
            self.note(format!(
                "descriptions went into the text: they have at most {limit} here ({moved} were \
                 longer)"
            ));
        }
    }

    /// What is too long is cut.
    pub(super) fn cut<'l>(
        &mut self,
        parts: &str,
        limit: Option<&Length>,
        texts: impl IntoIterator<Item = &'l mut String>,
    ) {
        let Some(limit) = limit else { return };
        for text in texts {
            if !limit.takes(text) {
                *text = cut(text, limit);
                self.note(format!("cut to {limit}: the {parts}"));
            }
        }
    }

    /// What the vendor itself leaves out stays in the action: it knows best.
    pub(super) fn note_vendors_loss(&mut self, parts: &[(&str, bool)]) {
        let lost: Vec<&str> =
            parts.iter().filter(|(_, lost)| *lost).map(|(part, _)| *part).collect();
        if !lost.is_empty() {
            let lost = lost.join(", ");
            self.note(format!("the vendor may leave out on this medium: {lost}"));
        }
    }
}

/// What an option is called, and what it is called where that is too long.
pub(super) struct Label<'l> {
    whole: &'l mut String,
    short: &'l mut Option<String>,
}

impl<'l> Label<'l> {
    pub(super) fn new(whole: &'l mut String, short: &'l mut Option<String>) -> Self {
        Self { whole, short }
    }

    /// As the bot wrote it: the label, or its short one where that alone has room.
    fn own(&self, limit: &Length) -> Option<String> {
        let short = present(self.short.as_deref());
        let all = [Some(&**self.whole), short];
        all.into_iter().flatten().find(|label| limit.takes(label)).map(str::to_owned)
    }

    /// The label, or its beginning.
    fn cut(&self, limit: &Length) -> Option<String> {
        if limit.takes(self.whole) {
            return Some(self.whole.clone());
        }
        text::shorten(self.whole, limit.max, limit.unit)
    }
}

/// Puts others in the place of labels where there is one for each, and as many can be told
/// from each other then as before.
fn replace(labels: &mut [Label<'_>], by: &dyn Fn(&Label<'_>) -> Option<String>) -> bool {
    let distinct = |labels: &mut dyn Iterator<Item = &str>| labels.collect::<BTreeSet<_>>().len();
    let Some(others) = labels.iter().map(by).collect::<Option<Vec<_>>>() else { return false };
    let before = distinct(&mut labels.iter().map(|label| &**label.whole));
    if distinct(&mut others.iter().map(|it| &**it)) != before {
        return false;
    }
    for (label, other) in labels.iter_mut().zip(others) {
        if *label.whole != other {
            (*label.whole, *label.short) = (other, None);
        }
    }
    true
}

/// The beginning of a text, with an ellipsis where there is room for one.
pub(super) fn cut(text: &str, limit: &Length) -> String {
    let first = || text::split(text, limit.max, limit.unit).swap_remove(0);
    text::shorten(text, limit.max, limit.unit).unwrap_or_else(first)
}
