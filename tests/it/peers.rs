//! The peers themselves: a lenient one would hide the host's mistakes. Userlike's
//! twin has its tests beside it, and plays against a host in `twin`.

use std::time::{Duration, Instant};

use botyard_tests::peers::shop::Shop;

#[tokio::test]
async fn the_shop_answers_late_and_notes_the_key() {
    rustls::crypto::ring::default_provider().install_default().ok();
    let delay = Duration::from_millis(50);
    let shop = Shop::start(delay).await.unwrap();
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let start = Instant::now();
    let ask = client.get(format!("{}/orders/84-11907", shop.url()));
    let answer = ask.header("idempotency-key", "k1").send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    assert!(start.elapsed() >= delay);
    assert_eq!(shop.lookups()[0].idempotency_key.as_deref(), Some("k1"));
    let unknown = client.get(format!("{}/orders/lamp", shop.url())).send().await.unwrap();
    assert_eq!(unknown.status().as_u16(), 404);
}
