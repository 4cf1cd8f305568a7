//! The life of one purchase as a page: every message and every record of one clean seed, and of the same seed with one fault.
//!
//! Nothing is told that did not happen in the run.

use crate::{Fault, FaultName, Scenario, Weather, trace};

/// Longest line that is shown whole.
const COLUMNS_MAX: usize = 260;

/// The story as Markdown, for `docs/life-of-a-purchase.md`.
pub fn life_of_a_purchase() -> String {
    let seed = (0..200).find(|seed| tells_everything(*seed)).unwrap_or(0);
    let mut page = String::from(
        "# 一笔消费的一生 · The life of a purchase\n\n由模拟器从一个种子写成。Written by the simulator from one seed. \
         `decides` is a record: it is durable before anything that was decided with it leaves. `sends` is a frame, `shows` a screen, \
         `cashier` a person.\n\n",
    );
    page.push_str(&part(
        "一切正常 · All is well",
        "From the key press to the slip, and the positive sign back to the acquirer.",
        &purchase(seed, Weather::clean()),
    ));
    let mut lost = Weather::clean();
    // The second frame from the network to the acquirer: the first one answers its sign-on.
    lost.with.insert(FaultName {
        fault: Fault::NetworkAnswerLost,
        place: 1,
        number: 2,
    });
    page.push_str(&part(
        "银联应答丢失（F3） · The network's answer is lost (F3)",
        "The acquirer gives up, reverses, and calls it reversed only with the issuer's word.",
        &purchase(seed, lost),
    ));
    page
}

fn purchase(seed: u64, weather: Weather) -> Scenario {
    let mut scenario = Scenario::new(seed, weather);
    scenario.terminals = 1;
    scenario.acquirers = 1;
    scenario.issuers = 1;
    scenario.purchases = 1;
    scenario.kind = Some(payment::Kind::Purchase);
    scenario
}

/// Its till prints, speaks the extension and does not wait for minutes.
fn tells_everything(seed: u64) -> bool {
    let scenario = purchase(seed, Weather::clean());
    let short = scenario.ladder() == payment::timeouts::Ladder::DEMO;
    short && {
        let text = trace(&scenario);
        text.contains("Printed") && text.contains("Signed(Approved")
    }
}

fn part(title: &str, text: &str, scenario: &Scenario) -> String {
    let mut page = format!("## {title}\n\n{text}\n\n```text\n");
    for line in trace(scenario).lines() {
        match line.char_indices().nth(COLUMNS_MAX) {
            Some((end, _)) => page.push_str(&format!("{}…\n", &line[..end])),
            None => page.push_str(&format!("{line}\n")),
        }
    }
    page.push_str("```\n\n");
    page
}
