//! Lists behind a button, within the limits of the medium or not at all.

use crate::action::{Action, ListSection, ListTemplate, Row, TextFormat};
use crate::degrade::menu::present;
use crate::degrade::options::Labels;
use crate::degrade::parts::Label;
use crate::degrade::{Carrier, locale};

const FORM: &str = "list_template";

impl Carrier<'_> {
    pub(super) fn tap_list_template(
        &mut self,
        mut list: ListTemplate,
        labels: Labels,
    ) -> Result<(), String> {
        self.count_rows(rows(&mut list.sections).count())?;
        if list.multiple && !self.profile.carries("list_template_multiple") {
            list.multiple = false;
            self.note("only one option can be chosen: this medium has no multiple choice");
        }
        self.merge_sections(&mut list);
        self.fit_around(&mut list);
        self.note_lost_details(&mut list);
        let labelled = rows(&mut list.sections);
        let labelled = labelled.map(|row| Label::new(&mut row.label, &mut row.short_label));
        self.labels(FORM, labelled, labels)?;
        list.text = self.lead(FORM, list.text, TextFormat::Plain);
        self.push(Action::ListTemplate(list));
        Ok(())
    }

    fn count_rows(&self, rows: usize) -> Result<(), String> {
        let limits = self.profile.of(FORM);
        let counts = [&limits.options, &limits.rows].into_iter().flatten();
        match counts.map(|count| count.max).min().filter(|most| rows > *most) {
            Some(most) => Err(format!("a list has at most {most} options here, this one {rows}")),
            None => Ok(()),
        }
    }

    /// Takes the headlines of sections away where the medium shows one list, and
    /// the sections too where they are too many.
    fn merge_sections(&mut self, list: &mut ListTemplate) {
        let sections = list.sections.len();
        let most = self.profile.of(FORM).sections.as_ref().map(|count| count.max);
        let too_many = most.filter(|most| sections > (*most).max(1));
        if self.profile.carries("list_template_sections") && too_many.is_none() {
            return;
        }
        let titles = list.sections.iter_mut().filter_map(|section| present(section.title.take()));
        let mut titles: Vec<String> = titles.collect();
        if let Some(most) = too_many {
            let rows = list.sections.drain(..).flat_map(|section| section.rows).collect();
            list.sections = vec![ListSection { title: None, rows }];
            self.note(format!("its {sections} sections became one: {most} are the most here"));
        }
        if titles.is_empty() {
            return;
        }
        if sections == 1 && present(list.title.as_deref()).is_none() {
            list.title = titles.pop();
            self.note("the headline of its only section became its title: no sections here");
        } else {
            self.note("the headlines of its sections were left out: this medium shows one list");
        }
    }

    /// What is too long for its place goes into the text, in the order in which
    /// it is read; what makes no sense there is cut.
    fn fit_around(&mut self, list: &mut ListTemplate) {
        let limits = self.profile.of(FORM);
        let too_long =
            |header: &mut String| limits.header.as_ref().is_some_and(|limit| !limit.takes(header));
        if let Some(header) = list.header.take_if(too_long) {
            self.note("the header went into the text: it is too long for its place here");
            list.text = format!("{header}\n{}", list.text);
        }
        let text = &mut list.text;
        self.move_below("title", limits.title.as_ref(), &mut list.title, text);
        let described = rows(&mut list.sections).map(|row| (&*row.label, &mut row.description));
        self.move_descriptions(FORM, described, text);
        self.move_below("footer", limits.footer.as_ref(), &mut list.footer, text);
        let titles = list.sections.iter_mut().filter_map(|section| section.title.as_mut());
        self.cut("headlines of its sections", limits.title.as_ref(), titles);
        // Vendors refuse a button without a label, and all of the list with it.
        if present(Some(&list.button)).is_none() {
            self.note("its button got a label of the host's: the bot gave none");
            list.button = locale::choose(self.locale).to_owned();
        }
        self.cut("label of its button", limits.button.as_ref(), [&mut list.button]);
    }

    fn note_lost_details(&mut self, list: &mut ListTemplate) {
        if self.profile.carries("list_template_details") {
            return;
        }
        let described = |row: &mut Row| present(row.description.as_deref()).is_some();
        let descriptions = rows(&mut list.sections).any(described);
        self.note_vendors_loss(&[
            ("header", present(list.header.as_deref()).is_some()),
            ("footer", present(list.footer.as_deref()).is_some()),
            ("title", present(list.title.as_deref()).is_some()),
            ("descriptions of its options", descriptions),
        ]);
    }
}

fn rows(sections: &mut [ListSection]) -> impl Iterator<Item = &mut Row> {
    sections.iter_mut().flat_map(|section| &mut section.rows)
}
