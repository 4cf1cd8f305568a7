//! What a party counts, in the text that Prometheus reads (exposition format 0.0.4), on its control port.
//!
//! Invariant: a scrape reads counters alone: it asks the party for nothing that grows with its transactions, and no label
//! holds a card, a name or an amount.

use crate::driver::{Driven, DriverHandle};
use ::acquirer::Acquirer;
use std::fmt::Write;

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
    text
}

/// The same with what the acquirer knows of its payments.
pub async fn of_acquirer(handle: &DriverHandle<Acquirer>) -> String {
    let mut text = party(handle);
    let looked = handle.look(|acquirer, _| {
        let state = acquirer.state();
        (
            state.counters(),
            state.open(),
            state.unconfirmed(),
            state.signed_on(),
        )
    });
    // A party that has stopped has said what it could.
    let Ok((counters, (in_flight, advices), unconfirmed, signed_on)) = looked.await else {
        return text.text;
    };
    let name = "payments_total";
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
            "reversals_started_total",
            "counter",
            "Reversals started.",
            counters.reversing,
        ),
        (
            "reversals_confirmed_total",
            "counter",
            "Reversals confirmed by the issuer.",
            counters.reversed,
        ),
        (
            "onesided_opened_total",
            "counter",
            "One-sided items and refused reversals opened.",
            u64::from(counters.cases),
        ),
        (
            "unknown_open",
            "gauge",
            "Requests in flight: their outcome is not known yet.",
            in_flight as u64,
        ),
        (
            "reversal_pending",
            "gauge",
            "Advices and reversals that nobody has confirmed yet.",
            advices as u64,
        ),
        (
            "unconfirmed_open",
            "gauge",
            "Approvals that the terminal has not confirmed yet.",
            unconfirmed as u64,
        ),
        (
            "network_signed_on",
            "gauge",
            "1 when the network gave us keys.",
            u64::from(signed_on),
        ),
    ] {
        text.one(name, kind, help, value);
    }
    text.text
}
