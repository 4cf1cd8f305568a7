//! The fault lab by its API: who may ask, and what a run shows beside the sale.

use counterfoil::demo::{Ports, World};
use serde_json::Value;
use std::net::SocketAddr;
use std::time::{Duration, Instant};
use ureq::Agent;

/// How long a run may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

fn agent() -> Agent {
    let settings = Agent::config_builder().http_status_as_error(false);
    settings.build().into()
}

fn status(desk: SocketAddr, path: &str, host: &str) -> u16 {
    let asked = agent()
        .get(format!("http://{desk}{path}"))
        .header("host", host)
        .call();
    asked.expect("an answer").status().as_u16()
}

/// The lab's view once it fits.
fn until(desk: SocketAddr, fits: impl Fn(&Value) -> bool) -> Value {
    let end = Instant::now() + PATIENCE;
    loop {
        let mut answer = agent()
            .get(format!("http://{desk}/api/v1/lab"))
            .call()
            .expect("the lab answers");
        let text = answer.body_mut().read_to_string().expect("a text");
        let view: Value = serde_json::from_str(&text).expect("JSON");
        if fits(&view["run"]) {
            return view["run"].clone();
        }
        assert!(Instant::now() < end, "{view}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

fn test(desk: SocketAddr) {
    for path in ["/lab", "/api/v1/lab"] {
        assert_eq!(status(desk, path, "rebound.example:7192"), 421, "{path}");
        assert_eq!(status(desk, path, &desk.to_string()), 200, "{path}");
    }
    // The hosts' clocks are wrong, and a reversal is needed: no deadline uses a wall clock.
    let begun = agent()
        .post(format!("http://{desk}/api/v1/lab"))
        .header("content-type", "application/json")
        .send(r#"{"faults":["F2","F13a","F13n","F13i"],"amount_minor":12801}"#);
    assert_eq!(begun.expect("an answer").status().as_u16(), 202);
    let confirmed = |run: &Value| {
        let webhooks = run["webhooks"].as_array();
        let kinds = webhooks
            .into_iter()
            .flatten()
            .map(|webhook| &webhook["type"]);
        run["phase"] == "closed"
            && kinds
                .into_iter()
                .any(|kind| kind == "payment.reversal.confirmed")
    };
    let run = until(desk, confirmed);
    assert_eq!(run["sale"]["row"], "reversed");
    for webhook in run["webhooks"].as_array().expect("webhooks") {
        assert_eq!(webhook["verified"], true, "{webhook}");
        assert_eq!(webhook["attempt"], 1, "{webhook}");
        assert!(webhook["beads"].is_array(), "{webhook}");
    }
}

#[test]
fn a_run_shows_its_webhooks_and_answers_to_our_own_name_alone() {
    let data = tempfile::tempdir().expect("a directory");
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    runtime.block_on(async {
        let world = World::start(data.path(), Ports::FREE)
            .await
            .expect("the demo's world");
        let pages = world.open_pages().await.expect("the demo's pages");
        let desk = pages.desk;
        let tested = tokio::task::spawn_blocking(move || test(desk)).await;
        tested.expect("the test");
    });
    runtime.shutdown_background();
}
