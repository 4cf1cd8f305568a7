//! The installation test against honest printers, liars, a person who is too slow, and any bytes.

use proptest::prelude::*;
use receipt::acceptance::{
    Acceptance, AcceptanceEffect, AcceptanceInput, Accepted, Device, OPERATOR_US, Proof, Step,
};
use receipt::{Echo, Fault, Paper, Told, VirtualPrinter};

const CODE: u16 = 407;
const IDS: [[u8; 4]; 4] = [*b"k2F~", [0x00, 0x7F, 0xFF, 0x20], *b"9zQ!", *b"aB3d"];
const TICK_US: u64 = 20_000;
const SECOND: u64 = 1_000_000;
/// 100 mm a second, 30 dots a line.
const LINE_US: u64 = 37_500;

/// Whatever may stand behind the connection.
trait Machine {
    fn hear(&mut self, bytes: &[u8]);
    /// What it says by now.
    fn tick(&mut self, now_us: u64) -> Vec<u8>;
    fn set_cover_open(&mut self, open: bool);
    fn set_paper_out(&mut self, out: bool);
    /// What a person reads from its paper.
    fn read(&self) -> String;
}

struct Virtual {
    printer: VirtualPrinter,
    said: Vec<u8>,
}

impl Virtual {
    fn with(change: impl FnOnce(&mut VirtualPrinter)) -> Box<dyn Machine> {
        let mut printer = VirtualPrinter::new(Paper::Mm58);
        printer.set_speed(Some(100));
        change(&mut printer);
        let said = Vec::new();
        Box::new(Virtual { printer, said })
    }
}

impl Machine for Virtual {
    fn hear(&mut self, bytes: &[u8]) {
        self.said.extend(self.printer.hear(bytes));
    }

    fn tick(&mut self, now_us: u64) -> Vec<u8> {
        let mut said = std::mem::take(&mut self.said);
        said.extend(self.printer.tick(now_us));
        said
    }

    fn set_cover_open(&mut self, open: bool) {
        self.printer.set_cover_open(open);
    }

    fn set_paper_out(&mut self, out: bool) {
        self.printer.set_paper_out(out);
    }

    fn read(&self) -> String {
        let page = self.printer.papers().last().map(|paper| paper.text.clone());
        let page = page.unwrap_or_default();
        let code = page
            .lines()
            .map(str::trim)
            .find(|line| line.len() == 4 && line.bytes().all(|byte| byte.is_ascii_digit()));
        code.unwrap_or("????").to_owned()
    }
}

/// A printer made of little but its lie.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    /// Answers when the time is right, whatever the cover does.
    Timed,
    /// Stops for the cover, and prints on without a roll.
    NoPaperSensor,
}

struct Printer {
    kind: Kind,
    cover_open: bool,
    paper_out: bool,
    /// How long each still takes, then the ID behind it.
    jobs: Vec<(u64, [u8; 4])>,
    said: Vec<u8>,
}

impl Machine for Printer {
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
                    self.jobs.push((lines * LINE_US, id));
                    11
                }
                [byte, ..] => {
                    lines += u64::from(*byte == 0x0A);
                    1
                }
                [] => 0,
            };
        }
    }

    fn tick(&mut self, _: u64) -> Vec<u8> {
        let stopped = self.kind == Kind::NoPaperSensor && self.cover_open;
        if let (false, Some((left_us, [one, two, three, four]))) = (stopped, self.jobs.first_mut())
        {
            *left_us = left_us.saturating_sub(TICK_US);
            if *left_us == 0 {
                self.said
                    .extend([0x37, 0x22, *one, *two, *three, *four, 0x00]);
                self.jobs.remove(0);
            }
        }
        std::mem::take(&mut self.said)
    }

    fn set_cover_open(&mut self, open: bool) {
        self.cover_open = open;
    }

    fn set_paper_out(&mut self, out: bool) {
        self.paper_out = out;
    }

    fn read(&self) -> String {
        unreachable!("none of these comes so far")
    }
}

fn small(kind: Kind) -> Box<dyn Machine> {
    Box::new(Printer {
        kind,
        cover_open: false,
        paper_out: false,
        jobs: Vec::new(),
        said: Vec::new(),
    })
}

/// Runs the test; the person acts a second after each request, or never.
fn run(mut printer: Box<dyn Machine>, person: bool) -> (Accepted, Vec<Step>) {
    let mut acceptance = Acceptance::new(IDS, CODE);
    let mut shown = Vec::new();
    let mut acts: Vec<(u64, Act)> = Vec::new();
    let mut input = Some(AcceptanceInput::Begin);
    for now_us in (0..20 * OPERATOR_US).step_by(TICK_US as usize) {
        let heard = AcceptanceInput::Heard(printer.tick(now_us));
        let due = acceptance.deadline().is_some_and(|due_us| due_us <= now_us);
        let mut inputs: Vec<_> = input.take().into_iter().chain([heard]).collect();
        inputs.extend(due.then_some(AcceptanceInput::Tick));
        acts.retain(|(at_us, act)| {
            let due = *at_us <= now_us;
            if due {
                match act {
                    Act::Cover(open) => printer.set_cover_open(*open),
                    Act::Paper(out) => printer.set_paper_out(*out),
                    Act::Read => {
                        let read = format!(" {} ", printer.read());
                        inputs.push(AcceptanceInput::Typed(read));
                    }
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
                            Step::Eyes => act(5 * SECOND, Act::Read),
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
    Read,
    Say(AcceptanceInput),
}

#[test]
fn only_an_honest_printer_is_trusted() {
    let echo = |echo| Virtual::with(|printer| printer.set_echo(echo));
    let told = |told| Virtual::with(|printer| printer.set_told(told));
    let rows = [
        (echo(Echo::Honest), Proof::Completed, None),
        (
            Virtual::with(|printer| printer.set_speed(Some(300))),
            Proof::Completed,
            None,
        ),
        (echo(Echo::Absent), Proof::None, Some(Step::Echo)),
        (echo(Echo::Constant), Proof::None, Some(Step::Echo)),
        (echo(Echo::WrongId), Proof::None, Some(Step::Echo)),
        (echo(Echo::Lost), Proof::None, Some(Step::Echo)),
        (echo(Echo::Late), Proof::None, Some(Step::Echo)),
        (echo(Echo::Parsed), Proof::Parsed, Some(Step::Speed)),
        (small(Kind::Timed), Proof::Parsed, Some(Step::Cover)),
        (told(Told::AlwaysWell), Proof::Parsed, Some(Step::Cover)),
        (told(Told::Clone), Proof::Parsed, Some(Step::Cover)),
        (small(Kind::NoPaperSensor), Proof::Parsed, Some(Step::Paper)),
        (echo(Echo::NothingPrinted), Proof::Parsed, Some(Step::Eyes)),
        (
            Virtual::with(|printer| printer.set_fault(Fault::Blank, true)),
            Proof::Parsed,
            Some(Step::Eyes),
        ),
    ];
    for (row, (machine, proof, failed)) in rows.into_iter().enumerate() {
        let (accepted, shown) = run(machine, true);
        assert_eq!(
            (accepted.proof, accepted.failed),
            (proof, failed),
            "row {row}"
        );
        assert_eq!(shown.first(), Some(&Step::Identify));
        assert_ne!(accepted.device, Device::default());
        assert!(failed.is_some() || shown == Step::ALL);
    }
    let (accepted, _) = run(small(Kind::Timed), true);
    let device = Device {
        maker: "MAKER".into(),
        model: "TM1".into(),
        firmware: "2.01ESC/POS".into(),
        serial: "X007".into(),
    };
    assert_eq!(accepted.device, device);
}

#[test]
fn a_person_who_does_nothing_leaves_it_untrusted() {
    let (accepted, shown) = run(Virtual::with(|_| {}), false);
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
