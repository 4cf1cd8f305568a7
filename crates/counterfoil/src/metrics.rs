//! What a party counts, in the text that Prometheus reads (exposition format 0.0.4), on its control port.
//!
//! Invariant: a scrape reads counters alone, and of the acquirer's sales only those that wait for people, so many at most:
//! it asks for nothing that grows with the transactions, and no label holds a card, a name or an amount.

use crate::archive::name;
use crate::desk::cause;
use crate::driver::{Driven, DriverHandle};
use crate::observed::{Histogram, Observed};
use ::acquirer::Acquirer;
use payment::Wall;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::atomic::Ordering::Relaxed;

/// One-sided sales that a scrape counts, the oldest first.
pub const ONE_SIDED_MAX: usize = 10_000;

/// The content type of the text.
pub const KIND: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A text under way.
#[derive(Debug)]
struct Text {
    party: String,
    text: String,
}

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, label: Option<(&str, &str)>, value: f64) {
        let more = label.map_or(String::new(), |(key, value)| format!(",{key}=\"{value}\""));
        let _ = writeln!(
            self.text,
            "{name}{{party=\"{}\"{more}}} {value}",
            self.party
        );
    }

    fn histogram(&mut self, name: &str, help: &str, of: &Histogram) {
        self.head(name, "histogram", help);
        let (ranges, sum_ms) = of.cumulative();
        let mut count = 0;
        for (end_ms, so_far) in ranges {
            let end = end_ms.map_or("+Inf".to_owned(), |ms| (ms as f64 / 1e3).to_string());
            self.line(&format!("{name}_bucket"), Some(("le", &end)), so_far as f64);
            count = so_far;
        }
        self.line(&format!("{name}_sum"), None, sum_ms as f64 / 1e3);
        self.line(&format!("{name}_count"), None, count as f64);
    }

    fn one(&mut self, name: &str, kind: &str, help: &str, value: u64) {
        self.head(name, kind, help);
        self.line(name, None, value as f64);
    }
}

/// What every party counts.
pub fn of_party<P: Driven>(handle: &DriverHandle<P>) -> String {
    party(handle).text
}

fn party<P: Driven>(handle: &DriverHandle<P>) -> Text {
    let figures = handle.figures();
    let mut text = Text {
        party: handle.name().to_owned(),
        text: String::new(),
    };
    for (name, help, value) in [
        (
            "counterfoil_inputs_total",
            "Inputs decided.",
            figures.inputs,
        ),
        (
            "counterfoil_records_total",
            "Records written.",
            figures.records,
        ),
        (
            "counterfoil_record_bytes_total",
            "Bytes of records written.",
            figures.record_bytes,
        ),
        (
            "counterfoil_flushes_total",
            "Flushes of the journal.",
            figures.flushes.count,
        ),
        (
            "counterfoil_frames_refused_total",
            "Frames that the party did not take.",
            figures.frames_refused,
        ),
        (
            "counterfoil_undelivered_total",
            "Frames that certainly did not leave.",
            figures.undelivered,
        ),
    ] {
        text.one(name, "counter", help, value);
    }
    text.one(
        "counterfoil_waiting",
        "gauge",
        "Events that wait for the party.",
        figures.waiting,
    );
    let stopped = u64::from(handle.stopped().is_some());
    text.one(
        "counterfoil_stopped",
        "gauge",
        "1 when the party takes no work any more.",
        stopped,
    );
    let name = "counterfoil_flush_seconds";
    text.head(
        name,
        "summary",
        "How long a flush of the journal took, since the start.",
    );
    for (quantile, us) in [
        ("0.5", figures.flushes.p50_us),
        ("0.99", figures.flushes.p99_us),
        ("0.999", figures.flushes.p999_us),
    ] {
        text.line(name, Some(("quantile", quantile)), us as f64 / 1e6);
    }
    let name = "counterfoil_link_events_total";
    text.head(name, "counter", "What the links counted.");
    for (what, value) in handle.link_figures().by_name() {
        text.line(name, Some(("event", what)), value as f64);
    }
    observed(&mut text, handle.observed());
    text
}

fn observed(text: &mut Text, of: &Observed) {
    let help = "From a request to its answer, as the party's own journal has them.";
    text.histogram("counterfoil_hop_seconds", help, &of.hop);
    if let Some((rows, ms)) = of.archive_lag() {
        let name = "counterfoil_archive_lag_rows";
        text.one(name, "gauge", "Rows of the journal not yet archived.", rows);
        let name = "counterfoil_archive_lag_seconds";
        text.head(
            name,
            "gauge",
            "Time between the last row and the last archived one.",
        );
        text.line(name, None, ms as f64 / 1e3);
    }
    for (name, help, count) in [
        (
            "counterfoil_trace_spans_sent_total",
            "Spans that the collector took.",
            &of.spans_sent,
        ),
        (
            "counterfoil_trace_spans_dropped_total",
            "Spans and frames of traces dropped: no room, or no collector.",
            &of.spans_dropped,
        ),
    ] {
        text.one(name, "counter", help, count.load(Relaxed));
    }
}

/// The same with what the acquirer knows of its payments.
pub async fn of_acquirer(handle: &DriverHandle<Acquirer>) -> String {
    let mut text = party(handle);
    let observed = handle.observed();
    let help = "From a broken loop to the end of its reversal, or to its till's word.";
    text.histogram("counterfoil_heal_seconds", help, &observed.heal);
    let name = "counterfoil_slips_unprinted_total";
    let help = "Slips that were due and, as their till says, are not known to be on paper.";
    text.head(name, "counter", help);
    for (cause, count) in observed.unprinted_by_cause() {
        text.line(name, Some(("cause", &cause)), count as f64);
    }
    let looked = handle.look(|acquirer, now| {
        let state = acquirer.state();
        (
            state.counters(),
            state.open(),
            state.unconfirmed(),
            state.signed_on(),
            one_sided(acquirer, now.wall),
        )
    });
    // A party that has stopped has said what it could.
    let Ok((counters, (in_flight, advices), unconfirmed, signed_on, queue)) = looked.await else {
        return text.text;
    };
    let name = "counterfoil_one_sided";
    text.head(name, "gauge", "Sales that wait for people, by cause.");
    for (cause, (count, _)) in &queue {
        text.line(name, Some(("cause", cause)), *count as f64);
    }
    let name = "counterfoil_one_sided_oldest_seconds";
    text.head(name, "gauge", "Age of the oldest of them, by cause.");
    for (cause, (_, age_ms)) in &queue {
        text.line(name, Some(("cause", cause)), *age_ms as f64 / 1e3);
    }
    let name = "counterfoil_payments_total";
    text.head(name, "counter", "Payments by what became of their request.");
    for (outcome, value) in [
        ("forwarded", counters.forwarded),
        ("approved", counters.approved),
        ("declined", counters.declined),
        ("repeated", counters.repeated),
        ("late", counters.late),
    ] {
        text.line(name, Some(("outcome", outcome)), value as f64);
    }
    for (name, kind, help, value) in [
        (
            "counterfoil_reversals_started_total",
            "counter",
            "Reversals started.",
            counters.reversing,
        ),
        (
            "counterfoil_reversals_confirmed_total",
            "counter",
            "Reversals confirmed by the issuer.",
            counters.reversed,
        ),
        (
            "counterfoil_one_sided_opened_total",
            "counter",
            "One-sided items and refused reversals opened.",
            u64::from(counters.cases),
        ),
        (
            "counterfoil_unknown_open",
            "gauge",
            "Requests in flight: their outcome is not known yet.",
            in_flight as u64,
        ),
        (
            "counterfoil_reversals_pending",
            "gauge",
            "Advices and reversals that nobody has confirmed yet.",
            advices as u64,
        ),
        (
            "counterfoil_unconfirmed_open",
            "gauge",
            "Approvals that the terminal has not confirmed yet.",
            unconfirmed as u64,
        ),
        (
            "counterfoil_network_signed_on",
            "gauge",
            "1 when the network gave us keys.",
            u64::from(signed_on),
        ),
    ] {
        text.one(name, kind, help, value);
    }
    text.text
}

/// Sales that wait for people: how many, and the age of the oldest in milliseconds, by cause.
fn one_sided(acquirer: &Acquirer, now: Wall) -> BTreeMap<String, (u64, u64)> {
    let mut queue = BTreeMap::<String, (u64, u64)>::new();
    for sale in acquirer.state().one_sided().take(ONE_SIDED_MAX) {
        let age_ms = now.0.saturating_sub(sale.received.wall.0).max(0) as u64;
        let (count, oldest_ms) = queue.entry(name(&cause(sale))).or_default();
        (*count, *oldest_ms) = (*count + 1, age_ms.max(*oldest_ms));
    }
    queue
}
