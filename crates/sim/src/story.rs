//! The life of one purchase as a page: every message and every record of one clean seed.

use crate::{Fault, Scenario, Weather, trace};

/// The story as Markdown, for `docs/life-of-a-purchase.md`.
pub fn life_of_a_purchase() -> String {
    let part = |title: &str, text: &str, weather: Weather, seed: u64| {
        let mut scenario = Scenario::new(seed, weather);
        scenario.terminals = 1;
        scenario.issuers = 1;
        scenario.purchases = 1;
        let mut page = format!("## {title}\n\n{text}\n\n```text\n");
        page.push_str(&trace(&scenario));
        page.push_str("```\n\n");
        page
    };
    let mut page = "# 一笔消费的一生 · The life of a purchase\n\nWritten by the simulator from one seed; `decides` is a record that is made durable before anything leaves.\n\n".to_owned();
    page.push_str(&part(
        "All is well",
        "From the key press to the slip and back to the acquirer as the positive sign.",
        Weather::clean(),
        1,
    ));
    let mut lost = Weather::clean();
    lost.rates[Fault::NetworkAnswerLost as usize] = 10_000;
    page.push_str(&part(
        "The network's answer is lost (F3)",
        "The acquirer gives up, reverses, and says so only with the issuer's word.",
        lost,
        1,
    ));
    page
}
