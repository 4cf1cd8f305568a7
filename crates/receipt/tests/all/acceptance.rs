//! The installation test against an honest printer, six liars, a person who is too slow, and any bytes.

use proptest::prelude::*;
use receipt::acceptance::{
    Acceptance, AcceptanceEffect, AcceptanceInput, Accepted, Device, OPERATOR_US, Proof, Step,
};

const CODE: u16 = 407;
const IDS: [[u8; 4]; 4] = [*b"k2F~", [0x00, 0x7F, 0xFF, 0x20], *b"9zQ!", *b"aB3d"];
const TICK_US: u64 = 20_000;
const SECOND: u64 = 1_000_000;
/// 100 mm a second, 30 dots a line.
const LINE_US: u64 = 37_500;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    Honest,
    /// Knows nothing of IDs.
    Silent,
    /// Always `1234`.
    Constant,
    /// Answers when it reads the ID.
    Parses,
    /// Answers when the time is right, whatever the cover does.
    Timed,
    /// Stops for the cover, and prints on without a roll.
    NoPaperSensor,
    /// Does all that an honest one does, on the wrong side of the paper.
    Blank,
}

struct Printer {
    kind: Kind,
    cover_open: bool,
    paper_out: bool,
    /// Lines that are to be printed, then the ID behind them.
    jobs: Vec<(u64, Option<[u8; 4]>)>,
    code: Option<String>,
    said: Vec<u8>,
}

impl Printer {
    fn hear(&mut self, bytes: &[u8]) {
        let mut lines = 0;
        let mut at = 0;
        while at < bytes.len() {
            at += match &bytes[at..] {
                [0x10, 0x04, question, ..] => {
                    let out = self.paper_out;
                    self.said.push(match question {
                        2 if self.cover_open => 0x16,
                        2 if out => 0x32,
                        4 if out => 0x7E,
                        _ => 0x12,
                    });
                    3
                }
                [0x1D, 0x49, question, ..] => {
                    let name: &[u8] = match question {
                        66 => b"MAKER",
                        67 => b"TM 1",
                        65 => b"2.01 ESC/POS",
                        _ => b"X00 7",
                    };
                    self.said.push(0x5F);
                    self.said.extend(name);
                    self.said.push(0);
                    3
                }
                [0x1D, 0x28, 0x48, _, _, _, _, id @ ..] => {
                    let id: [u8; 4] = id[..4].try_into().unwrap();
                    match self.kind {
                        Kind::Parses => self.echo(id),
                        Kind::Constant => self.echo(*b"1234"),
                        Kind::Silent => {}
                        _ => self.jobs.push((lines * LINE_US, Some(id))),
                    }
                    11
                }
                [0x1D, 0x21, 0x11, code @ ..] if code.len() >= 4 && self.kind != Kind::Blank => {
                    self.code = Some(String::from_utf8(code[..4].to_vec()).unwrap());
                    3
                }
                [byte, ..] => {
                    lines += u64::from(*byte == 0x0A);
                    1
                }
                [] => 0,
            };
        }
    }

    fn echo(&mut self, [one, two, three, four]: [u8; 4]) {
        self.said.extend([0x37, 0x22, one, two, three, four, 0x00]);
    }

    fn work(&mut self) {
        let stopped = match self.kind {
            Kind::Timed => false,
            Kind::NoPaperSensor => self.cover_open,
            _ => self.cover_open || self.paper_out,
        };
        if stopped {
            return;
        }
        let Some((left_us, id)) = self.jobs.first_mut() else {
            return;
        };
        *left_us = left_us.saturating_sub(TICK_US);
        if *left_us == 0 {
            let id = *id;
            self.jobs.remove(0);
            id.into_iter().for_each(|id| self.echo(id));
        }
    }
}

/// Runs the test; the person acts a second after each request, or never.
fn run(kind: Kind, person: bool) -> (Accepted, Vec<Step>) {
    let mut printer = Printer {
        kind,
        cover_open: false,
        paper_out: false,
        jobs: Vec::new(),
        code: None,
        said: Vec::new(),
    };
    let mut acceptance = Acceptance::new(IDS, CODE);
    let mut shown = Vec::new();
    let mut acts: Vec<(u64, Act)> = Vec::new();
    let mut input = Some(AcceptanceInput::Begin);
    for now_us in (0..20 * OPERATOR_US).step_by(TICK_US as usize) {
        printer.work();
        let heard = AcceptanceInput::Heard(std::mem::take(&mut printer.said));
        let due = acceptance.deadline().is_some_and(|due_us| due_us <= now_us);
        let mut inputs: Vec<_> = input.take().into_iter().chain([heard]).collect();
        inputs.extend(due.then_some(AcceptanceInput::Tick));
        acts.retain(|(at_us, act)| {
            let due = *at_us <= now_us;
            if due {
                match act {
                    Act::Cover(open) => printer.cover_open = *open,
                    Act::Paper(out) => printer.paper_out = *out,
                    Act::Say(said) => inputs.push(said.clone()),
                }
            }
            !due
        });
        for input in inputs {
            for effect in acceptance.take(now_us, input) {
                match effect {
                    AcceptanceEffect::Send(bytes) => printer.hear(&bytes),
                    AcceptanceEffect::Over(accepted) => {
                        assert_eq!(acceptance.deadline(), None);
                        return (accepted, shown);
                    }
                    AcceptanceEffect::Show(step) => {
                        shown.push(step);
                        let mut act = |after_us, act| acts.push((now_us + after_us, act));
                        if step.waits_for_ready() {
                            act(SECOND, Act::Say(AcceptanceInput::Ready));
                        }
                        match step {
                            _ if !person => {}
                            Step::Cover => {
                                act(2 * SECOND, Act::Cover(true));
                                act(9 * SECOND, Act::Cover(false));
                            }
                            Step::Paper => {
                                act(2 * SECOND, Act::Cover(true));
                                act(3 * SECOND, Act::Paper(true));
                                act(4 * SECOND, Act::Cover(false));
                                act(9 * SECOND, Act::Paper(false));
                            }
                            Step::Eyes => {
                                let read = printer.code.clone().unwrap_or("????".into());
                                act(
                                    SECOND,
                                    Act::Say(AcceptanceInput::Typed(format!(" {read} "))),
                                );
                            }
                            _ => {}
                        }
                    }
                }
            }
        }
    }
    panic!("never over: {acceptance:?}");
}

enum Act {
    Cover(bool),
    Paper(bool),
    Say(AcceptanceInput),
}

#[test]
fn only_an_honest_printer_is_trusted() {
    let rows = [
        (Kind::Honest, Proof::Completed, None),
        (Kind::Silent, Proof::None, Some(Step::Echo)),
        (Kind::Constant, Proof::None, Some(Step::Echo)),
        (Kind::Parses, Proof::Parsed, Some(Step::Speed)),
        (Kind::Timed, Proof::Parsed, Some(Step::Cover)),
        (Kind::NoPaperSensor, Proof::Parsed, Some(Step::Paper)),
        (Kind::Blank, Proof::Parsed, Some(Step::Eyes)),
    ];
    for (kind, proof, failed) in rows {
        let (accepted, shown) = run(kind, true);
        assert_eq!(
            (accepted.proof, accepted.failed),
            (proof, failed),
            "{kind:?}"
        );
        assert_eq!(shown.first(), Some(&Step::Identify));
        let device = Device {
            maker: "MAKER".into(),
            model: "TM1".into(),
            firmware: "2.01ESC/POS".into(),
            serial: "X007".into(),
        };
        assert!(accepted.holds_for(&device));
        let firmware = "2.02".into();
        assert!(!accepted.holds_for(&Device { firmware, ..device }));
    }
    let (_, shown) = run(Kind::Honest, true);
    assert_eq!(shown, Step::ALL);
}

#[test]
fn a_person_who_does_nothing_leaves_it_untrusted() {
    let (accepted, shown) = run(Kind::Honest, false);
    assert_eq!(
        (accepted.proof, accepted.failed),
        (Proof::Parsed, Some(Step::Cover))
    );
    assert_eq!(shown.iter().filter(|step| **step == Step::Cover).count(), 3);
}

#[test]
fn a_lost_connection_ends_it() {
    let mut acceptance = Acceptance::new(IDS, CODE);
    assert!(acceptance.take(0, AcceptanceInput::Ready).is_empty());
    acceptance.take(0, AcceptanceInput::Begin);
    let over = acceptance.take(1, AcceptanceInput::Lost);
    assert!(matches!(
        &over[..],
        [AcceptanceEffect::Over(Accepted {
            proof: Proof::None,
            ..
        })]
    ));
    assert!(acceptance.take(2, AcceptanceInput::Begin).is_empty());
}

proptest! {
    #[test]
    fn no_bytes_make_a_printer_trusted(pieces: Vec<Vec<u8>>, typed in "[0-9]{0,5}") {
        prop_assume!(typed != "0407");
        let mut acceptance = Acceptance::new(IDS, CODE);
        let mut effects = acceptance.take(0, AcceptanceInput::Begin);
        for (at, piece) in (1..).zip(pieces) {
            let now_us = at * SECOND;
            for input in [
                AcceptanceInput::Heard(piece),
                AcceptanceInput::Tick,
                AcceptanceInput::Ready,
                AcceptanceInput::Typed(typed.clone()),
            ] {
                effects.extend(acceptance.take(now_us, input));
            }
        }
        let over = effects.iter().filter_map(|effect| match effect {
            AcceptanceEffect::Over(accepted) => Some(accepted.proof),
            _ => None,
        });
        let over: Vec<Proof> = over.collect();
        prop_assert!(over.len() <= 1 && !over.contains(&Proof::Completed));
    }
}
