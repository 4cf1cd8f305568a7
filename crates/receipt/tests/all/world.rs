//! A spool, a virtual printer and a connection that fails at any moment, driven by data.
//!
//! Whatever happens, at most one unmarked original of a slip's copy is on paper, nothing is called
//! printed that is not on paper, and once all is well everything is printed.

use crate::purchase;
use proptest::prelude::*;
use receipt::escpos::STATUS_QUESTION;
use receipt::{
    CopyKnown, CopyOf, Evidence, Fault, JobState, Language, Paper, PaperSeen, Spool, SpoolEffect,
    SpoolInput, SpoolRecord, VirtualPrinter,
};
use std::collections::BTreeMap;

/// The two sides and what is between them.
pub struct World {
    pub now_us: u64,
    pub spool: Spool,
    pub records: Vec<SpoolRecord>,
    pub printer: VirtualPrinter,
    /// Whether the printer can be reached.
    pub reachable: bool,
    /// Whether the driver was asked for a connection.
    connecting: bool,
    connected: bool,
    to_printer: Vec<u8>,
    to_spool: Vec<u8>,
    wrote: Vec<u32>,
    /// What the spool told, newest last.
    pub told: Vec<(u64, JobState, Evidence)>,
    pub refused: Vec<u64>,
    /// Real-time commands that were sent.
    pub commands: Vec<Vec<u8>>,
}

impl World {
    pub fn new() -> World {
        World {
            now_us: 1_000,
            spool: Spool::default(),
            records: Vec::new(),
            printer: VirtualPrinter::new(Paper::Mm58),
            reachable: true,
            connecting: false,
            connected: false,
            to_printer: Vec::new(),
            to_spool: Vec::new(),
            wrote: Vec::new(),
            told: Vec::new(),
            refused: Vec::new(),
            commands: Vec::new(),
        }
    }

    pub fn submit(&mut self, slip_id: u64, copy: CopyOf) {
        self.input(submit(slip_id, copy));
    }

    pub fn input(&mut self, input: SpoolInput) {
        self.inputs([input]);
    }

    pub fn inputs(&mut self, inputs: impl IntoIterator<Item = SpoolInput>) {
        let (records, effects) = self.spool.decide_all(self.now_us, inputs);
        for record in &records {
            self.spool.apply(record);
        }
        self.records.extend(records);
        for effect in effects {
            self.perform(effect);
        }
    }

    /// The bytes of an effect are on their way, and whoever asked for them is told nothing.
    pub fn transmit(&mut self, effect: SpoolEffect) {
        match effect {
            SpoolEffect::Send { bytes, .. } if self.connected => self.to_printer.extend(bytes),
            SpoolEffect::Query if self.connected => self.to_printer.extend(STATUS_QUESTION),
            _ => {}
        }
    }

    pub fn connected(&self) -> bool {
        self.connected
    }

    /// What the printer said and nobody heard yet.
    pub fn take_heard(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.to_spool)
    }

    fn perform(&mut self, effect: SpoolEffect) {
        match effect {
            SpoolEffect::Connect => self.connecting = true,
            SpoolEffect::Send { job, bytes } if self.connected => {
                self.to_printer.extend(bytes);
                self.wrote.push(job);
            }
            SpoolEffect::Query if self.connected => self.to_printer.extend(STATUS_QUESTION),
            SpoolEffect::Command(bytes) if self.connected => {
                self.to_printer.extend(&bytes);
                self.commands.push(bytes);
            }
            SpoolEffect::Send { .. } | SpoolEffect::Query | SpoolEffect::Command(_) => {
                panic!("sent without a connection")
            }
            SpoolEffect::PrinterChanged(status) => assert_eq!(status, self.spool.printer()),
            SpoolEffect::Close => self.unplug(0),
            SpoolEffect::Changed {
                slip_id,
                state,
                evidence,
                ..
            } => self.told.push((slip_id, state, evidence)),
            SpoolEffect::Refused { slip_id } => self.refused.push(slip_id),
        }
    }

    /// The process dies while it decides on `input`: only the first `kept` records are on disk and
    /// nothing was done about them.
    pub fn crash(&mut self, input: SpoolInput, kept: usize, delivered: usize) {
        let (records, _) = self.spool.decide(self.now_us, input);
        let kept = kept % (records.len() + 1);
        self.records.extend(records.into_iter().take(kept));
        self.restart(delivered);
    }

    /// The process is gone with its connection, and comes back with what its records say.
    pub fn restart(&mut self, delivered: usize) {
        self.unplug(delivered);
        self.spool = Spool::default();
        for record in &self.records {
            self.spool.apply(record);
        }
        self.input(SpoolInput::Restarted);
    }

    /// Somebody switches printing off, or on.
    pub fn switch(&mut self, off: bool) {
        self.input(switched(off));
    }

    /// Somebody says what can be seen of the merchant's copy.
    pub fn answer(&mut self, slip_id: u64, seen: PaperSeen) {
        self.input(SpoolInput::Answered {
            slip_id,
            copy: CopyOf::Merchant,
            seen,
        });
    }

    pub fn heard(&mut self, bytes: &[u8]) {
        self.input(SpoolInput::Heard(bytes.into()));
    }

    pub fn copy(&self, slip_id: u64) -> CopyKnown {
        self.spool
            .copy(slip_id, CopyOf::Merchant)
            .expect("a known slip")
    }

    /// Somebody who looks at the paper answers every question as it is.
    fn answer_all(&mut self) {
        let asked: Vec<_> = self.spool.questions().collect();
        let on_paper = self.on_paper();
        for (slip_id, copy, known) in asked {
            let slip = on_paper.get(&(slip_id, copy)).copied().unwrap_or_default();
            let seen = match (slip.complete, slip.unmarked + slip.marked) {
                (1.., _) => PaperSeen::Complete,
                (0, 1..) => PaperSeen::Partial,
                (0, 0) => PaperSeen::Nothing,
            };
            assert!(known.prints > 0);
            self.input(SpoolInput::Answered {
                slip_id,
                copy,
                seen,
            });
        }
    }

    /// The connection goes; only some of what was on its way arrives.
    fn unplug(&mut self, delivered: usize) {
        let delivered = delivered.min(self.to_printer.len());
        self.printer.hear(&self.to_printer[..delivered]);
        self.printer.disconnect();
        self.to_printer.clear();
        self.to_spool.clear();
        self.wrote.clear();
        self.connecting = false;
        self.connected = false;
    }

    /// What is on its way to the printer goes nowhere.
    pub fn clear_wires(&mut self) {
        self.to_printer.clear();
        self.wrote.clear();
    }

    pub fn lose(&mut self, delivered: usize) {
        self.unplug(delivered);
        self.input(SpoolInput::Lost);
    }

    pub fn power_cut(&mut self) {
        self.lose(0);
        self.printer.power_cut();
    }

    pub fn deliver_to_printer(&mut self, bytes: usize) {
        let bytes = bytes.min(self.to_printer.len());
        let arrived: Vec<u8> = self.to_printer.drain(..bytes).collect();
        let said = self.printer.hear(&arrived);
        if self.connected {
            self.to_spool.extend(said);
        }
    }

    pub fn deliver_to_spool(&mut self, bytes: usize) {
        let bytes = bytes.min(self.to_spool.len());
        let heard: Vec<u8> = self.to_spool.drain(..bytes).collect();
        if !heard.is_empty() {
            self.input(SpoolInput::Heard(heard));
        }
    }

    /// The connection that was asked for comes up, or not.
    pub fn answer_connect(&mut self) {
        if std::mem::take(&mut self.connecting) {
            self.connected = self.reachable;
            self.input(match self.reachable {
                true => SpoolInput::Connected,
                false => SpoolInput::Lost,
            });
        }
    }

    /// Whatever is needed for the next print to start; none of its bytes leaves.
    pub fn settle_until_started(&mut self) {
        self.answer_connect();
        self.input(SpoolInput::Heard(vec![0x12; 4]));
        self.clear_wires();
    }

    /// Everything that is on its way arrives.
    pub fn settle(&mut self) {
        for _ in 0..1_000 {
            self.answer_connect();
            for job in std::mem::take(&mut self.wrote) {
                self.input(SpoolInput::Wrote { job });
            }
            self.deliver_to_printer(usize::MAX);
            if self.connected {
                let said = self.printer.answers();
                self.to_spool.extend(said);
            }
            self.deliver_to_spool(usize::MAX);
            if !self.connecting && self.to_printer.is_empty() && self.to_spool.is_empty() {
                return;
            }
        }
        panic!("never settles: {:?}", self.spool);
    }

    /// Lets time pass, ticking at every deadline; a tick at a deadline must move it.
    pub fn pass(&mut self, us: u64) {
        let end_us = self.now_us + us;
        self.settle();
        while let Some(due_us) = self.spool.deadline().filter(|due_us| *due_us <= end_us) {
            self.now_us = self.now_us.max(due_us);
            self.input(SpoolInput::Tick);
            assert_ne!(self.spool.deadline(), Some(due_us), "{:?}", self.spool);
            self.settle();
        }
        self.now_us = end_us;
    }

    pub fn state(&self, slip_id: u64) -> (JobState, Evidence, u32) {
        self.spool.evidence(slip_id).expect("a known slip")
    }

    /// Per slip and copy: how many unmarked and marked slips show their number, how many are complete.
    pub fn on_paper(&self) -> BTreeMap<(u64, CopyOf), OnPaper> {
        let unfinished = self.printer.unfinished();
        let pieces = self.printer.papers().iter().chain([&unfinished]);
        let mut found: BTreeMap<(u64, CopyOf), OnPaper> = BTreeMap::new();
        let (mut marked_next, mut marked) = (false, false);
        let (mut copy, mut key) = (None, None);
        for line in pieces.flat_map(|piece| piece.text.lines()) {
            match line.trim() {
                mark if mark.starts_with("第 ") => marked_next = true,
                "POS签购单" => {
                    marked = std::mem::take(&mut marked_next);
                    (copy, key) = (None, None);
                }
                "商户存根" => copy = Some(CopyOf::Merchant),
                "持卡人存根" => copy = Some(CopyOf::Cardholder),
                number if number.starts_with("凭证号") => {
                    let digits = number.trim_start_matches("凭证号").trim();
                    key = copy.zip(digits.parse().ok()).map(|(copy, id)| (id, copy));
                    if let Some(key) = key {
                        let slip = found.entry(key).or_default();
                        *(if marked {
                            &mut slip.marked
                        } else {
                            &mut slip.unmarked
                        }) += 1;
                    }
                }
                "尾" => {
                    if let Some(key) = key.take() {
                        found.entry(key).or_default().complete += 1;
                    }
                }
                _ => {}
            }
        }
        found
    }

    fn check(&self) {
        let on_paper = self.on_paper();
        for (key, slip) in &on_paper {
            assert!(slip.unmarked <= 1, "{key:?} {slip:?}");
        }
        for slip_id in 0..SLIPS {
            let Some((state, evidence, printed)) = self.spool.evidence(slip_id) else {
                continue;
            };
            let copies = [CopyOf::Merchant, CopyOf::Cardholder];
            let complete = |copy| {
                on_paper
                    .get(&(slip_id, copy))
                    .map_or(0, |slip| slip.complete)
            };
            let complete: u32 = copies.map(complete).iter().sum();
            assert!(printed <= complete, "{slip_id} {printed} {on_paper:?}");
            assert!(state != JobState::Done || evidence >= Evidence::Printed);
            assert!(evidence < Evidence::Printed || complete > 0);
            let given_up = matches!(state, JobState::Failed(_)) && !somebody_looked(state);
            assert!(!given_up, "{slip_id} {state:?}");
        }
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnPaper {
    pub unmarked: u32,
    pub marked: u32,
    pub complete: u32,
}

/// Somebody saw that it must be printed again, while printing was off.
fn somebody_looked(state: JobState) -> bool {
    let seen = PaperSeen::ALL.into_iter().filter_map(PaperSeen::trouble);
    seen.map(JobState::Failed).any(|failed| failed == state)
}

pub fn switched(off: bool) -> SpoolInput {
    let by = "01".to_owned();
    SpoolInput::SwitchedOff { off, by }
}

/// A slip whose voucher number is its id, and whose last words are 尾.
pub fn submit(slip_id: u64, copy: CopyOf) -> SpoolInput {
    let mut fields = purchase();
    fields.voucher = u32::try_from(slip_id).expect("a small id");
    fields.signature_required = false;
    fields.remarks = vec![("尾".into(), "END".into())];
    SpoolInput::Submit {
        slip_id,
        fields,
        copy,
        language: Language::Zh,
        paper: Paper::Mm58,
    }
}

const SLIPS: u64 = 3;

#[derive(Clone, Debug)]
enum Step {
    Submit(u64, CopyOf),
    Reprint(u64),
    AnswerConnect,
    Wrote,
    ToPrinter(usize),
    ToSpool(usize),
    Pass(u64),
    Lose(usize),
    Reachable(bool),
    Crash(Box<Step>, usize, usize),
    PaperLines(u32),
    PaperIn,
    Cover(bool),
    Head(bool),
    Cutter(bool),
    PowerCut,
    SwitchedOff(bool),
    AnswerAll,
    Jam(bool),
    Latch(bool),
    Resume,
    Clear,
}

fn step() -> impl Strategy<Value = Step> {
    let copy = prop_oneof![Just(CopyOf::Merchant), Just(CopyOf::Cardholder)];
    let plain = prop_oneof![
        3 => (0..SLIPS, copy).prop_map(|(slip_id, copy)| Step::Submit(slip_id, copy)),
        1 => (0..SLIPS).prop_map(Step::Reprint),
        4 => Just(Step::AnswerConnect),
        1 => Just(Step::Wrote),
        6 => (0_usize..1_200).prop_map(Step::ToPrinter),
        6 => (0_usize..30).prop_map(Step::ToSpool),
        4 => (0_u64..4_000_000).prop_map(Step::Pass),
        1 => (0_usize..1_200).prop_map(Step::Lose),
        1 => any::<bool>().prop_map(Step::Reachable),
        2 => (0_u32..40).prop_map(Step::PaperLines),
        2 => Just(Step::PaperIn),
        1 => any::<bool>().prop_map(Step::Cover),
        1 => any::<bool>().prop_map(Step::Head),
        1 => any::<bool>().prop_map(Step::Cutter),
        1 => Just(Step::PowerCut),
        1 => any::<bool>().prop_map(Step::SwitchedOff),
        1 => Just(Step::AnswerAll),
        1 => any::<bool>().prop_map(Step::Jam),
        1 => any::<bool>().prop_map(Step::Latch),
        1 => Just(Step::Resume),
        1 => Just(Step::Clear),
    ]
    .boxed();
    prop_oneof![
        8 => plain.clone(),
        1 => (plain, 0_usize..6, 0_usize..1_200)
            .prop_map(|(step, kept, delivered)| Step::Crash(Box::new(step), kept, delivered)),
    ]
}

fn take(world: &mut World, step: Step) {
    match step {
        Step::Submit(slip_id, copy) => world.submit(slip_id, copy),
        Step::Reprint(slip_id) => world.input(SpoolInput::Reprint { slip_id }),
        Step::AnswerConnect => world.answer_connect(),
        Step::Wrote => {
            if let Some(job) = world.wrote.pop() {
                world.input(SpoolInput::Wrote { job });
            }
        }
        Step::ToPrinter(bytes) => world.deliver_to_printer(bytes),
        Step::ToSpool(bytes) => world.deliver_to_spool(bytes),
        Step::Pass(us) => world.pass(us),
        Step::Lose(delivered) => world.lose(delivered),
        Step::Reachable(reachable) => world.reachable = reachable,
        Step::Crash(step, kept, delivered) => {
            let input = match *step {
                Step::Submit(slip_id, copy) => submit(slip_id, copy),
                Step::Reprint(slip_id) => SpoolInput::Reprint { slip_id },
                Step::ToSpool(_) => SpoolInput::Heard(std::mem::take(&mut world.to_spool)),
                Step::Lose(_) => SpoolInput::Lost,
                Step::SwitchedOff(off) => switched(off),
                _ => SpoolInput::Tick,
            };
            world.crash(input, kept, delivered);
        }
        Step::PaperLines(lines) => world.printer.set_paper_lines_left(Some(lines)),
        Step::PaperIn => world.printer.set_paper_out(false),
        Step::Cover(open) => world.printer.set_cover_open(open),
        Step::Head(fault) => world.printer.set_head_fault(fault),
        Step::Cutter(stuck) => world.printer.set_cutter_stuck(stuck),
        Step::PowerCut => world.power_cut(),
        Step::SwitchedOff(off) => world.switch(off),
        Step::AnswerAll => world.answer_all(),
        Step::Jam(jam) => world.printer.set_fault(Fault::Jam, jam),
        Step::Latch(latch) => world.printer.set_fault(Fault::WaitsForRecovery, latch),
        Step::Resume => world.input(SpoolInput::Resume),
        Step::Clear => world.input(SpoolInput::Clear),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn one_original_nothing_stuck_nothing_claimed(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new();
        for step in steps {
            take(&mut world, step);
            world.check();
        }
        world.reachable = true;
        world.printer.set_paper_out(false);
        world.printer.set_cover_open(false);
        world.printer.set_head_fault(false);
        world.printer.set_cutter_stuck(false);
        world.printer.set_fault(Fault::Jam, false);
        world.printer.set_fault(Fault::WaitsForRecovery, false);
        world.switch(false);
        for _ in 0..4 {
            world.pass(60_000_000);
            world.check();
            world.input(SpoolInput::Resume);
            world.answer_all();
        }
        prop_assert_eq!(world.spool.unfinished(), 0, "{:?}", world.spool);
        prop_assert_eq!(world.spool.questions().count(), 0);
        prop_assert_eq!(world.spool.deadline(), None);
        for slip_id in 0..SLIPS {
            match world.spool.evidence(slip_id) {
                None | Some((JobState::Skipped(_), _, _)) => {}
                Some((state, _, _)) if somebody_looked(state) => {}
                Some((state, evidence, _)) => {
                    prop_assert_eq!(state, JobState::Done);
                    prop_assert!(evidence >= Evidence::Printed);
                }
            }
        }
        let mut replayed = Spool::default();
        for record in &world.records {
            replayed.apply(record);
        }
        prop_assert_eq!(replayed, world.spool);
    }

    #[test]
    fn any_bytes_from_the_printer(pieces: Vec<Vec<u8>>) {
        let mut world = World::new();
        world.submit(1, CopyOf::Merchant);
        world.answer_connect();
        for piece in pieces {
            let before = world.records.len();
            let bound = piece.len() + 4;
            world.input(SpoolInput::Heard(piece));
            prop_assert!(world.records.len() - before <= bound);
        }
    }
}
