//! Actions, from the bot to the kernel.

use botyard_kernel::action as kernel;

use super::generated::botyard::bot::{action as wit, types};
use super::{Convert, cases, record};

cases!(wit::Action => kernel::Action { ContextClear, Abort, End;
    Message, Bubbles, Carousel, ButtonTemplate, ListTemplate, Buttons, RichLink, Media, Navigate,
    Typing, Delay, ContextUpdate, ContactUpdate, ConversationUpdate, NoteCreate, Tag, Untag,
    Priority, WorkQueue, Resolve, SecureForm, Forward, AddonDispatch, EmailDispatch, Schedule,
    CancelTimer, Request, Passthrough, Other
});
cases!(types::TextFormat => kernel::TextFormat { Plain, MarkdownV1 });
record!(types::NamedPayload => kernel::NamedPayload { name, json });
record!(types::Setting => kernel::Setting { name, value });
record!(wit::Message => kernel::Message { text, format });
record!(wit::Choice => kernel::Choice { id, label, short_label });
record!(wit::Bubbles => kernel::Bubbles { text, format, options, fallback });
record!(wit::Card => kernel::Card { id, label, short_label, image, description });
record!(wit::Carousel => kernel::Carousel { text, cards, fallback });
cases!(wit::Header => kernel::Header { ; Text, Image, Video, Document });
record!(wit::ButtonTemplate => kernel::ButtonTemplate { header, text, footer, buttons, fallback });
record!(wit::Row => kernel::Row { id, label, short_label, description });
record!(wit::ListSection => kernel::ListSection { title, rows });
record!(wit::ListTemplate => kernel::ListTemplate {
    header, text, footer, button, title, sections, multiple, fallback
});
record!(wit::LinkButton => kernel::LinkButton { label, short_label, link });
record!(wit::Buttons => kernel::Buttons { text, links });
record!(wit::RichLink => kernel::RichLink { link, title, image, text });
record!(wit::Media => kernel::Media { link, name, mime_type, caption });
record!(wit::Navigate => kernel::Navigate { link });
cases!(wit::Typing => kernel::Typing { Start, Stop });
record!(wit::Delay => kernel::Delay { delay_ms, typing });
record!(wit::ContactUpdate => kernel::ContactUpdate {
    name, email, mobile_number, external_customer_id, custom_fields
});
record!(wit::ConversationUpdate => kernel::ConversationUpdate {
    subject, topics, locale, custom_fields
});
record!(wit::NoteCreate => kernel::NoteCreate { text, contact_id });
record!(wit::WorkQueue => kernel::WorkQueue { queue, comment });
record!(wit::Resolve => kernel::Resolve { comment });
record!(wit::SecureForm => kernel::SecureForm { form, text });
record!(wit::Forward => kernel::Forward { target, on_failure });
cases!(wit::ForwardTarget => kernel::ForwardTarget { Any; Group, Skills, Human, Bot });
cases!(wit::OnFailure => kernel::OnFailure { Feedback, Unassign });
record!(wit::AddonDispatch => kernel::AddonDispatch { addon });
record!(wit::EmailDispatch => kernel::EmailDispatch { recipient });
cases!(wit::EmailRecipient => kernel::EmailRecipient { Contact; Operator });
record!(wit::Schedule => kernel::Schedule { name, after_ms, payload });
record!(wit::Request => kernel::Request { name, method, url, headers, body, timeout_ms });
record!(wit::Passthrough => kernel::Passthrough { vendor, json });
