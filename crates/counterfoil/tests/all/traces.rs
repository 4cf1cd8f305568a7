//! Traces and metrics of running parties: every hop of a loop in one trace, whoever told of it, and nothing of a card in it.

use crate::installation::{HOSTS, Installation, Process, get, local, start_till};
use crate::{runtime, wait_until};
use axum::body::Bytes;
use axum::extract::State;
use axum::routing::post;
use counterfoil::fault::{Act, Direction, Fault, Hop};
use iso8583::frame::Framing;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

/// The card of the examples' sales.
const PAN: &str = "6228480000000123";

/// What the parties posted, byte by byte.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<Bytes>>>);

impl Collector {
    async fn open(&self) -> SocketAddr {
        let take = async |State(Self(posted)): State<Self>, body: Bytes| {
            posted.lock().expect("no panic").push(body);
        };
        let routes = axum::Router::new()
            .route("/v1/traces", post(take))
            .with_state(self.clone());
        let at = counterfoil::control::serve(local(0), routes).await;
        at.expect("it listens")
    }

    fn bytes(&self) -> Vec<u8> {
        self.0.lock().expect("no panic").concat()
    }

    /// Every span, with the party that told of it.
    fn spans(&self) -> Vec<(String, Span)> {
        let posted = self.0.lock().expect("no panic");
        let mut spans = Vec::new();
        for body in posted.iter() {
            let told = ExportTraceServiceRequest::decode(&body[..]).expect("protobuf");
            for of in told.resource_spans {
                let resource = of.resource.expect("a resource").attributes;
                let party = attribute(&resource, "service.name");
                let told = of.scope_spans.into_iter().flat_map(|scope| scope.spans);
                spans.extend(told.map(|span| (party.clone(), span)));
            }
        }
        spans
    }

    /// The spans of one loop, by name and the name of their parent.
    fn of(&self, rrn: &str) -> Vec<(String, Span)> {
        let mut spans = self.spans();
        spans.retain(|(_, span)| attribute(&span.attributes, "payment.rrn") == rrn);
        spans
    }
}

fn attribute(attributes: &[KeyValue], name: &str) -> String {
    let found = attributes.iter().find(|pair| pair.key == name);
    let value = found.and_then(|pair| pair.value.clone()?.value);
    match value {
        Some(Value::StringValue(text)) => text,
        _ => String::new(),
    }
}

/// Hop and parent of each span; one trace, one root, no span twice.
fn hops(spans: &[(String, Span)]) -> BTreeSet<(String, String)> {
    let traces: BTreeSet<&[u8]> = spans.iter().map(|(_, span)| &span.trace_id[..]).collect();
    assert_eq!(traces.len(), 1, "{spans:#?}");
    let names: BTreeMap<&[u8], &str> = spans
        .iter()
        .map(|(_, span)| (&span.span_id[..], span.name.as_str()))
        .collect();
    assert_eq!(
        names.len(),
        spans.len(),
        "a span was told twice: {spans:#?}"
    );
    let parent = |span: &Span| match span.parent_span_id.is_empty() {
        true => String::new(),
        false => names.get(&span.parent_span_id[..]).map_or_else(
            || panic!("no parent of {} in {spans:#?}", span.name),
            |name| (*name).to_owned(),
        ),
    };
    for (party, span) in spans {
        assert!(
            span.name.starts_with(party.as_str()),
            "{party}: {}",
            span.name
        );
        assert_eq!((span.trace_id.len(), span.span_id.len()), (16, 8));
        assert!(span.start_time_unix_nano <= span.end_time_unix_nano);
    }
    spans
        .iter()
        .map(|(_, span)| (span.name.clone(), parent(span)))
        .collect()
}

fn pairs(pairs: &[(&str, &str)]) -> BTreeSet<(String, String)> {
    let owned = |(hop, parent): &(&str, &str)| ((*hop).to_owned(), (*parent).to_owned());
    pairs.iter().map(owned).collect()
}

const PURCHASE: [(&str, &str); 4] = [
    ("terminal purchase", ""),
    ("acquirer purchase", "terminal purchase"),
    ("network purchase", "acquirer purchase"),
    ("issuer purchase", "network purchase"),
];

/// What comes after a purchase whose answer was lost upstream.
const REVERSED: [(&str, &str); 5] = [
    ("acquirer reversal", "acquirer purchase"),
    ("network reversal", "acquirer reversal"),
    ("issuer reversal", "network reversal"),
    ("terminal query", "terminal purchase"),
    ("acquirer query", "terminal query"),
];

/// What comes after a purchase whose answer was lost on the way to the till.
const RECOVERED: [(&str, &str); 2] = [
    ("terminal query", "terminal purchase"),
    ("acquirer query", "terminal query"),
];

struct World {
    installation: Installation,
    collector: Collector,
    traces: String,
    upstream: Hop,
    counter: Hop,
    _hosts: [Process; 3],
    _runtime: tokio::runtime::Runtime,
}

impl World {
    fn start() -> Self {
        let runtime = runtime();
        let collector = Collector::default();
        let traces = format!(
            "\"http://{}/v1/traces\"",
            runtime.block_on(collector.open())
        );
        let installation = Installation::new([400, 700, 1_000, 2_000]);
        let hop = |port, framing| runtime.block_on(Hop::start(local(port), framing));
        let upstream = hop(installation.ports().members, Framing::Host).expect("a relay");
        let counter = hop(installation.ports().terminals, Framing::Terminal).expect("a relay");
        for host in HOSTS {
            installation.adjust(&format!("{host}.toml"), &[("traces", &traces)]);
        }
        let address = format!("\"{}\"", upstream.address());
        let settings = [("address", address.as_str()), ("confirm_within_ms", "4000")];
        installation.adjust("acquirer.toml", &settings);
        let hosts = installation.start_hosts();
        Self {
            installation,
            collector,
            traces,
            upstream,
            counter,
            _hosts: hosts,
            _runtime: runtime,
        }
    }

    fn till(&self, number: u32, idle_report_ms: &str) -> Process {
        let acquirer = format!("\"{}\"", self.counter.address());
        let mut till = start_till(&self.installation.terminal(
            number,
            &[
                ("acquirer", &acquirer),
                ("traces", &self.traces),
                ("idle_report_ms", idle_report_ms),
                ("eslip_after_ms", "200"),
                ("query_ms", "300"),
            ],
        ));
        till.expect_screen("signed-on");
        till
    }

    /// Sells, waits for this screen, and gives the loop's reference number.
    fn sell(&self, till: &mut Process, amount: &str, screen: &str) -> String {
        till.tell(&format!("sale {amount}"));
        let shown = till.expect_screen(screen);
        let sale = shown["sale"].as_str().expect("a sale");
        let found = self.installation.where_is(sale).expect("it is known");
        found["rrn"].as_str().expect("a number").to_owned()
    }

    /// Waits until the collector has every hop of the loop, and looks that there is no other.
    fn check(&self, rrn: &str, expected: &[(&str, &str)]) -> Vec<(String, Span)> {
        let expected = pairs(expected);
        let names: BTreeSet<&String> = expected.iter().map(|(name, _)| name).collect();
        wait_until("every hop was told", || {
            let spans = self.collector.of(rrn);
            let told: BTreeSet<&String> = spans.iter().map(|(_, span)| &span.name).collect();
            told.is_superset(&names)
        });
        let spans = self.collector.of(rrn);
        assert_eq!(hops(&spans), expected);
        spans
    }

    fn metrics(&self, party: usize) -> String {
        let control = self.installation.ports().control[party];
        let (status, text) = get(control, "/metrics").expect("an answer");
        assert_eq!(status, 200);
        text
    }
}

#[test]
fn one_loop_is_one_trace_and_is_measured() {
    let world = World::start();
    let mut till = world.till(1, "100");

    let rrn = world.sell(&mut till, "128.00", "approved");
    let mut spans = world.check(&rrn, &PURCHASE);
    assert_eq!(spans.len(), 4);
    // Each hop lies within the one that asked it: they have one clock here.
    let depth = |span: &Span| PURCHASE.iter().position(|(name, _)| span.name == *name);
    spans.sort_by_key(|(_, span)| depth(span));
    for pair in spans.windows(2) {
        let [(_, outer), (_, inner)] = pair else {
            continue;
        };
        assert!(outer.start_time_unix_nano <= inner.start_time_unix_nano);
        assert!(outer.end_time_unix_nano >= inner.end_time_unix_nano);
    }
    for (_, span) in &spans {
        let of = |name| attribute(&span.attributes, name);
        let told = (
            of("payment.kind"),
            of("payment.response_code"),
            of("payment.terminal"),
        );
        let expected = (
            "purchase".to_owned(),
            "00".to_owned(),
            "T0000001".to_owned(),
        );
        assert_eq!(told, expected, "{}", span.name);
    }

    let lost = |hop: &Hop, times| {
        hop.plan(Fault {
            mti: Some(0x0210),
            direction: Direction::Back,
            act: Act::Drop,
            times,
        });
    };
    // The message came to the cardholder, the answer not to the acquirer.
    lost(&world.upstream, 1);
    let reversed = world.sell(&mut till, "66.00", "reversed");
    world.check(&reversed, &[&PURCHASE[..], &REVERSED].concat());
    lost(&world.counter, 1);
    let recovered = world.sell(&mut till, "45.00", "approved");
    world.check(&recovered, &[&PURCHASE[..], &RECOVERED].concat());
    assert_eq!(BTreeSet::from([&rrn, &reversed, &recovered]).len(), 3);

    check_secrets(&world.collector.bytes());
    check_metrics(&world);
}

/// No part of the card's number that tells it from others.
fn check_secrets(bytes: &[u8]) {
    assert!(bytes.len() > 1_000);
    let text = String::from_utf8_lossy(bytes);
    for part in PAN.as_bytes().windows(6) {
        let part = std::str::from_utf8(part).expect("digits");
        let telling = part.bytes().filter(|digit| *digit != b'0').count() >= 3;
        assert!(!telling || !text.contains(part), "{part} was sent");
    }
}

/// What the same loops left in the metrics.
fn check_metrics(world: &World) {
    let value = |text: &str, series: &str| {
        let found = text.lines().find_map(|line| line.strip_prefix(series));
        found.map(|value| value.trim().parse::<f64>().expect("a number"))
    };
    let [acquirer, network] = [0, 1];
    for (party, series, least) in [
        (
            acquirer,
            r#"counterfoil_hop_seconds_count{party="acquirer"}"#,
            2.0,
        ),
        (
            acquirer,
            r#"counterfoil_hop_seconds_bucket{party="acquirer",le="+Inf"}"#,
            2.0,
        ),
        (
            acquirer,
            r#"counterfoil_heal_seconds_count{party="acquirer"}"#,
            1.0,
        ),
        (
            acquirer,
            r#"counterfoil_archive_lag_rows{party="acquirer"}"#,
            0.0,
        ),
        (
            acquirer,
            r#"counterfoil_trace_spans_sent_total{party="acquirer"}"#,
            3.0,
        ),
        (
            network,
            r#"counterfoil_hop_seconds_count{party="network"}"#,
            3.0,
        ),
        (
            network,
            r#"counterfoil_trace_spans_sent_total{party="network"}"#,
            4.0,
        ),
    ] {
        wait_until(series, || {
            value(&world.metrics(party), series) >= Some(least)
        });
    }
    for party in [acquirer, network] {
        let dropped = world.metrics(party);
        let dropped = dropped
            .lines()
            .find(|line| line.starts_with("counterfoil_trace_spans_dropped_total{"));
        assert!(dropped.expect("it is counted").ends_with(" 0"));
    }
    // No printer is there, and a till that never says how it ended.
    let mut silent = world.till(2, "600000");
    world.sell(&mut silent, "9.90", "approved");
    for series in [
        r#"counterfoil_slips_unprinted_total{party="acquirer",cause="#,
        r#"counterfoil_one_sided{party="acquirer",cause="lost_at_our_hop"} 1"#,
    ] {
        wait_until(series, || world.metrics(acquirer).contains(series));
    }
    let text = world.metrics(acquirer);
    let oldest =
        r#"counterfoil_one_sided_oldest_seconds{party="acquirer",cause="lost_at_our_hop"}"#;
    assert!(value(&text, oldest) > Some(0.0), "{text}");
    let documented =
        std::fs::read_to_string(crate::installation::repository().join("docs/desk.md"));
    let documented = documented.expect("the page");
    for line in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = line.split(' ').next().expect("a name");
        let written = ["`", "{"].map(|end| format!("`{name}{end}"));
        assert!(
            written.iter().any(|written| documented.contains(written)),
            "{name} is not in docs/desk.md"
        );
    }
}

#[test]
fn a_collector_that_is_not_there_costs_nothing_but_spans() {
    let installation = Installation::new([1_000, 1_500, 2_000, 3_000]);
    let nobody = format!(
        "\"http://127.0.0.1:{}/v1/traces\"",
        crate::installation::free_port()
    );
    installation.adjust("acquirer.toml", &[("traces", &nobody)]);
    let _hosts = installation.start_hosts();
    let mut till = start_till(&installation.terminal(1, &[("traces", &nobody)]));
    till.expect_screen("signed-on");
    for _ in 0..3 {
        till.tell("sale 12.00");
        till.expect_screen("approved");
    }
    let control = installation.ports().control[0];
    wait_until("what was dropped is counted", || {
        let (_, text) = get(control, "/metrics").expect("an answer");
        let dropped = text.lines().find_map(|line| {
            line.strip_prefix(r#"counterfoil_trace_spans_dropped_total{party="acquirer"} "#)
        });
        dropped.is_some_and(|count| count != "0")
    });
    installation.adjust("network.toml", &[("traces", "\"ftp://127.0.0.1/\"")]);
    let refused = Installation::command(&["network", "--config"])
        .arg(installation.path("network.toml"))
        .output()
        .expect("it runs");
    assert!(!refused.status.success());
    let said = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(said.contains("traces") && said.contains("http"), "{said}");
}
