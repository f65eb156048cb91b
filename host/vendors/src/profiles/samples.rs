//! One action of every case, to see what becomes of it.

use botyard_kernel::action::{
    Action, AddonDispatch, Bubbles, ButtonTemplate, Buttons, Card, Carousel, Choice, ContactUpdate,
    ConversationUpdate, EmailDispatch, EmailRecipient, Forward, ForwardTarget, Header, LinkButton,
    ListSection, ListTemplate, Media, Message, NamedPayload, Navigate, NoteCreate, Passthrough,
    Resolve, RichLink, Row, SecureForm, TextFormat, Typing, WorkQueue,
};

/// A page that there is, so that vendors which look at addresses find one.
const LINK: &str = "https://www.example.com/";
/// Where a picture stands in [`samples`]: nowhere. Whoever sends one says where one is.
pub const PICTURE: &str = "https://www.example.invalid/room.png";
/// The same of a document.
pub const DOCUMENT: &str = "https://www.example.invalid/menu.pdf";

/// One action of every case at least, each with what is particular to it: to see what
/// becomes of it, or to try it.
pub fn samples(vendor: &str) -> Vec<(&'static str, Action)> {
    let mut all = menus();
    all.extend(speech());
    all.extend(desk());
    all.extend(hand_offs());
    let json = own_form(vendor).to_owned();
    let passthrough = Passthrough { vendor: vendor.to_owned(), json };
    all.push(("for this vendor", Action::Passthrough(passthrough)));
    let name = "reaction".to_owned();
    all.push(("", Action::Other(NamedPayload { name, json: "{}".to_owned() })));
    all
}

/// Something that is said in the vendor's own form.
fn own_form(vendor: &str) -> &'static str {
    match vendor {
        "userlike" => r#"{"name":"message","payload":{"text":"Rooms"}}"#,
        "messenger" | "lexer" => r#"{"message":{"text":"Rooms"}}"#,
        "myalice" => r#"{"name":"send-sequence","payload":{"sequence_id":7}}"#,
        _ => r#"{"text":"Rooms"}"#,
    }
}

fn menus() -> Vec<(&'static str, Action)> {
    vec![
        ("3 options", bubbles(choices(3, "Room"))),
        ("10 options", bubbles(choices(10, "Room"))),
        ("20 options", bubbles(choices(20, "Room"))),
        (
            "3 options with labels of 32 characters",
            bubbles(labelled(|n| format!("{n} rooms with a view of the lake"))),
        ),
        (
            "3 such options that begin alike",
            bubbles(labelled(|n| format!("A room with a view of the lake {n}"))),
        ),
        ("3 such options with short labels of their own", bubbles(shortened())),
        ("3 cards with pictures", Action::Carousel(carousel())),
        ("3 buttons, header and footer", Action::ButtonTemplate(template(None))),
        ("a picture as header", Action::ButtonTemplate(template(Some(PICTURE)))),
        ("10 rows in 2 sections", Action::ListTemplate(list(10, false))),
        ("20 rows in 2 sections", Action::ListTemplate(list(20, false))),
        ("multiple choice", Action::ListTemplate(list(6, true))),
    ]
}

fn choices(count: usize, name: &str) -> Vec<Choice> {
    let choice = |n| Choice { id: format!("{n}"), label: format!("{name} {n}"), short_label: None };
    (1..=count).map(choice).collect()
}

fn labelled(label: impl Fn(usize) -> String) -> Vec<Choice> {
    (1..=3).map(|n| Choice { id: format!("{n}"), label: label(n), short_label: None }).collect()
}

fn shortened() -> Vec<Choice> {
    let named =
        |choice: Choice| Choice { short_label: Some(format!("View {}", choice.id)), ..choice };
    labelled(|n| format!("A room with a view of the lake {n}")).into_iter().map(named).collect()
}

fn bubbles(options: Vec<Choice>) -> Action {
    let (text, format) = ("Which one?".to_owned(), TextFormat::Plain);
    Action::Bubbles(Bubbles { text, format, options, fallback: None })
}

fn carousel() -> Carousel {
    let card = |choice: Choice| Card {
        id: choice.id,
        label: choice.label,
        short_label: None,
        image: Some(PICTURE.to_owned()),
        description: Some("With a view".to_owned()),
    };
    let cards = choices(3, "Room").into_iter().map(card).collect();
    Carousel { text: "Which one?".to_owned(), cards, fallback: None }
}

fn template(image: Option<&str>) -> ButtonTemplate {
    let header = match image {
        Some(link) => Header::Image(link.to_owned()),
        None => Header::Text("Your stay".to_owned()),
    };
    ButtonTemplate {
        header: Some(header),
        text: "Which one?".to_owned(),
        footer: Some("Breakfast included".to_owned()),
        buttons: choices(3, "Room"),
        fallback: None,
    }
}

fn list(rows: usize, multiple: bool) -> ListTemplate {
    let row = |choice: Choice| Row {
        id: choice.id,
        label: choice.label,
        short_label: None,
        description: Some("With a view".to_owned()),
    };
    let mut rows: Vec<Row> = choices(rows, "Room").into_iter().map(row).collect();
    let second = rows.split_off(rows.len() / 2);
    let section = |title: &str, rows| ListSection { title: Some(title.to_owned()), rows };
    ListTemplate {
        header: Some("Your stay".to_owned()),
        text: "Which one?".to_owned(),
        footer: Some("Breakfast included".to_owned()),
        button: "Show rooms".to_owned(),
        title: Some("Rooms".to_owned()),
        sections: vec![section("First floor", rows), section("Second floor", second)],
        multiple,
        fallback: None,
    }
}

fn speech() -> Vec<(&'static str, Action)> {
    let (link, text) = (|| LINK.to_owned(), || "Rooms".to_owned());
    let message = |format| Action::Message(Message { text: text(), format });
    let links = |count| {
        (1..=count).map(|n| LinkButton {
            label: format!("Room {n}"),
            short_label: None,
            link: link(),
        })
    };
    let buttons =
        |count| Action::Buttons(Buttons { text: Some(text()), links: links(count).collect() });
    let picture = || Some(PICTURE.to_owned());
    let rich = |image| {
        Action::RichLink(RichLink { link: link(), title: text(), image, text: Some(text()) })
    };
    let media = |link: &str, mime_type: &str, caption| {
        let (link, mime_type) = (link.to_owned(), Some(mime_type.to_owned()));
        Action::Media(Media { link, name: None, mime_type, caption })
    };
    vec![
        ("plain", message(TextFormat::Plain)),
        ("markdown", message(TextFormat::MarkdownV1)),
        ("3 links and a text", buttons(3)),
        ("10 links and a text", buttons(10)),
        ("", rich(picture())),
        ("without a picture", rich(None)),
        ("a picture", media(PICTURE, "image/png", None)),
        ("a picture with a caption", media(PICTURE, "image/png", Some(text()))),
        ("a PDF", media(DOCUMENT, "application/pdf", None)),
        ("", Action::Navigate(Navigate { link: link() })),
        ("", Action::SecureForm(SecureForm { form: "card".to_owned(), text: Some(text()) })),
        ("", Action::Typing(Typing::Start)),
    ]
}

fn desk() -> Vec<(&'static str, Action)> {
    let text = || "vip".to_owned();
    // Vendors that know tags and queues by numbers take nothing else.
    let number = || "7".to_owned();
    let contact = ContactUpdate { name: Some(text()), ..ContactUpdate::default() };
    let subject = ConversationUpdate { subject: Some(text()), ..ConversationUpdate::default() };
    let recipient = EmailRecipient::Contact;
    let actions = [
        Action::ContactUpdate(contact),
        Action::ConversationUpdate(subject),
        Action::NoteCreate(NoteCreate { text: text(), contact_id: None }),
        Action::Tag(vec![number()]),
        Action::Untag(vec![number()]),
        Action::Priority(1),
        Action::WorkQueue(WorkQueue { queue: number(), comment: None }),
        Action::Resolve(Resolve::default()),
        Action::AddonDispatch(AddonDispatch { addon: text() }),
        Action::EmailDispatch(EmailDispatch { recipient }),
        Action::End,
    ];
    actions.into_iter().map(|action| ("", action)).collect()
}

fn hand_offs() -> Vec<(&'static str, Action)> {
    let id = || "7".to_owned();
    let targets = [
        ("to anybody", ForwardTarget::Any),
        ("to a group", ForwardTarget::Group(id())),
        ("by skills", ForwardTarget::Skills(vec![id()])),
        ("to an agent", ForwardTarget::Human(id())),
        ("to another bot", ForwardTarget::Bot(id())),
    ];
    let forward = |target| Action::Forward(Forward { target, on_failure: None });
    let forwards = targets.map(|(what, target)| (what, forward(target)));
    forwards.into_iter().chain([("", Action::Abort)]).collect()
}
