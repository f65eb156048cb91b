use std::collections::BTreeSet;
use std::path::Path;

use axum::body::Body;
use http::Request;
use http_body_util::BodyExt as _;
use tower::ServiceExt as _;

use super::*;

struct Got {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Got {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn ask(path: &str, known: Option<&str>) -> Got {
    let mut request = Request::get(path);
    if let Some(known) = known {
        request = request.header(IF_NONE_MATCH, known);
    }
    let answer = router::<()>().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let body = String::from_utf8(body.to_vec()).unwrap();
    Got { status: parts.status, headers: parts.headers, body }
}

async fn get(path: &str) -> Got {
    ask(path, None).await
}

fn assert_guarded(path: &str, got: &Got) {
    let policy = got.header("content-security-policy");
    for directive in [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "form-action 'none'",
        "frame-ancestors 'none'",
        "base-uri 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(policy.split("; ").any(|one| one == directive), "{path}: {directive}: {policy}");
    }
    assert!(!policy.contains("unsafe"), "{path}: {policy}");
    assert_eq!(got.header("x-content-type-options"), "nosniff", "{path}");
    assert_eq!(got.header("referrer-policy"), "no-referrer", "{path}");
}

/// All files of the folder, by name.
fn in_folder() -> BTreeSet<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/console/page");
    let entries = std::fs::read_dir(folder).unwrap();
    entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
}

#[tokio::test]
async fn every_file_is_served_with_its_type_and_headers() {
    let mut served = BTreeSet::from(["index.html".to_owned()]);
    for name in in_folder().into_iter().filter(|name| name != "index.html") {
        let path = format!("/console/{}/{name}", *HASH);
        let got = get(&path).await;
        assert_eq!(got.status, StatusCode::OK, "{name} is in the folder and not served");
        let (_, ending) = name.rsplit_once('.').unwrap();
        let kind = match ending {
            "css" => "text/css; charset=utf-8",
            "js" => "text/javascript; charset=utf-8",
            "svg" => "image/svg+xml",
            other => panic!("{name}: a type for .{other} is missing here"),
        };
        assert_eq!(got.header("content-type"), kind, "{name}");
        assert_eq!(got.header("cache-control"), "public, max-age=31536000, immutable", "{name}");
        assert!(!got.body.is_empty(), "{name}");
        assert_guarded(&path, &got);
        served.insert(name);
    }
    assert_eq!(served, in_folder());
}

#[tokio::test]
async fn the_page_is_asked_for_again_and_sent_when_it_is_another() {
    let page = get("/console/").await;
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(page.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(page.header("cache-control"), "no-cache");
    assert_guarded("/console/", &page);
    let tag = page.header("etag").to_owned();
    let same = ask("/console/", Some(&tag)).await;
    assert_eq!((same.status, same.body.as_str()), (StatusCode::NOT_MODIFIED, ""));
    assert_guarded("/console/", &same);
    assert_eq!(ask("/console/", Some("\"other\"")).await.status, StatusCode::OK);
    let bare = get("/console").await;
    assert_eq!(bare.status, StatusCode::PERMANENT_REDIRECT);
    assert_eq!(bare.header("location"), "console/");
}

#[tokio::test]
async fn what_is_not_of_this_release_is_not_there() {
    for path in [
        "/console/0123456789abcdef/main.js".to_owned(),
        format!("/console/{}/index.html", *HASH),
        format!("/console/{}/none.js", *HASH),
        format!("/console/{}/..%2Fmod.rs", *HASH),
    ] {
        let got = get(&path).await;
        assert_eq!(got.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(got.header("cache-control"), "no-store", "{path}");
        assert_guarded(&path, &got);
    }
}

/// What the page names, it has; and it names nobody else.
#[tokio::test]
async fn the_page_needs_nothing_but_its_own_files() {
    let page = get("/console/").await.body;
    assert!(!page.contains(PLACEHOLDER));
    let mut wanted = BTreeSet::new();
    for attribute in page.split("=\"").skip(1).filter_map(|rest| rest.split('"').next()) {
        assert!(!attribute.contains("//"), "{attribute} is somewhere else");
        if let Some(name) = attribute.strip_prefix(&format!("{}/", *HASH)) {
            wanted.insert(name.to_owned());
        }
    }
    let inline =
        |word: &str| word.starts_with("style=") || word.starts_with("on") && word.contains("=");
    assert!(!page.split_whitespace().any(inline), "nothing is inline");
    for File { name, text, .. } in FILES {
        for line in text.lines().filter(|line| line.contains(" from \"")) {
            let (_, rest) = line.split_once(" from \"").unwrap();
            let module = rest.split('"').next().unwrap();
            let module = module.strip_prefix("./").unwrap_or_else(|| panic!("{name}: {module}"));
            wanted.insert(module.to_owned());
        }
    }
    let served: BTreeSet<_> = FILES.iter().map(|file| file.name.to_owned()).collect();
    assert_eq!(wanted, served, "what is wanted is served, and nothing else");
}

/// Texts of people and bots become text and never elements; nothing is asked of others.
#[test]
fn no_script_makes_elements_of_text() {
    for File { name, kind, text } in FILES {
        let words: &[&str] = match *kind {
            SCRIPT => &[
                "innerHTML",
                "outerHTML",
                "insertAdjacentHTML",
                "document.write",
                "createContextualFragment",
                "DOMParser",
                "eval(",
                "new Function",
                "localStorage",
                "document.cookie",
                "http://",
                "https://",
            ],
            _ => &["url(", "@import", "https://"],
        };
        for word in words {
            assert!(!text.contains(word), "{name} has `{word}`");
        }
    }
}

/// Whoever meets a problem is told what to do, whichever it is.
#[test]
fn there_is_advice_for_every_problem_of_the_api() {
    let page = include_str!("page/problem.js");
    for code in crate::api::Code::ALL {
        let code = code.name();
        assert!(page.contains(&format!("\n  \"{code}\": \"")), "no advice for `{code}`");
    }
}
