//! One terminal on a clock of its own. Every decision is checked: the order of records and effects, the invariants T1, T2,
//! T3 and T5, the replay, the snapshot, secrets, and that something unresolved always has a next step.

use crate::host::{Fate, Host, Mac, Reply, Sent, approval, tmk};
use crypto::{Pin, SoftwareModule};
use payment::relay::Gaps;
use payment::terminal::{Answer, MacCheck, Request};
use payment::{
    Amount, Kind, Machine, MerchantId, Mono, Now, Party, Peer, ResponseCode, SaleKey, Stan,
    Surroundings, TerminalId, Track2, Wall,
};
use receipt::{Language, Paper, SpoolEffect, SpoolInput};
use std::collections::{BTreeSet, VecDeque};
use terminal::kernel::FallbackRule;
use terminal::{
    ChipReader, Command, Config, Effect, Ending, Input, Presented, Record, Screen, State, Terminal,
};

pub const PAN: &str = "6225760000000005";
pub const TRACK2: &str = "6225760000000005D30122010000012345678";
pub const PIN: &str = "738291";
pub const ANSWER_MS: u64 = 3_000;
pub const QUERY_MS: u64 = 1_000;
pub const DIALOGUE_MS: u64 = 6_000;
pub const GOODS_MS: u64 = 30_000;
pub const ESLIP_MS: u64 = 5_000;
pub const IDLE_MS: u64 = 5_000;
pub const FIRST_STAN: Stan = Stan(41);
/// Ticks at one and the same moment: beyond it the deadline spins.
const TICKS_MAX: u32 = 8;

pub struct World {
    pub terminal: Terminal,
    pub host: Host,
    pub now: Now,
    pub records: Vec<Record>,
    pub sent: VecDeque<Sent>,
    pub printer: Vec<SpoolEffect>,
    /// The terminal dies when it has written so many records; with `true` only after the effects of that decision.
    pub crash: Option<(usize, bool)>,
    screens: Vec<Screen>,
    approved: BTreeSet<SaleKey>,
    module: SoftwareModule,
    config: Config,
    #[cfg(feature = "planted")]
    bug: Option<terminal::planted::Bug>,
}

/// Somebody switches printing off, or on.
pub fn switched(off: bool) -> SpoolInput {
    let by = "01".to_owned();
    SpoolInput::SwitchedOff { off, by }
}

pub fn config(module: &SoftwareModule, extended: bool) -> Config {
    Config {
        terminal: TerminalId::parse(b"T0000001").unwrap(),
        merchant: MerchantId::parse(b"M00000000000001").unwrap(),
        merchant_name: "存根书店".to_owned(),
        acquirer_name: "收单机构".to_owned(),
        issuers: vec![("622576".to_owned(), "发卡行".to_owned())],
        operator: "01".to_owned(),
        tmk: tmk(module),
        first_stan: FIRST_STAN,
        answer_ms: ANSWER_MS,
        query_ms: QUERY_MS,
        extended,
        dialogue_ms: DIALOGUE_MS,
        goods_question_ms: GOODS_MS,
        gaps: Gaps::default(),
        source_address: 0,
        percents: payment::Percents::default(),
        batch_resends: 2,
        idle_report_ms: IDLE_MS,
        eslip: Some("http://127.0.0.1:7102/r".to_owned()),
        eslip_after_ms: ESLIP_MS,
        prints: true,
        chip: None,
        language: Language::Zh,
        paper: Paper::Mm58,
    }
}

impl World {
    pub fn new(extended: bool) -> Self {
        let module = SoftwareModule::new([1; 32]);
        let config = config(&module, extended);
        Self {
            terminal: Terminal::new(config.clone()),
            host: Host::new(),
            now: Now {
                mono: Mono(1_000_000),
                wall: Wall(1_795_327_402_000),
            },
            records: Vec::new(),
            sent: VecDeque::new(),
            printer: Vec::new(),
            crash: None,
            screens: Vec::new(),
            approved: BTreeSet::new(),
            module,
            config,
            #[cfg(feature = "planted")]
            bug: None,
        }
    }

    /// A terminal with a bug.
    #[cfg(feature = "planted")]
    pub fn planted(extended: bool, bug: terminal::planted::Bug) -> Self {
        let mut world = Self::new(extended);
        world.bug = Some(bug);
        world.terminal = world.replayed();
        world
    }

    pub fn signed_on(extended: bool) -> Self {
        Self::new(extended).signing_on()
    }

    /// A terminal without a printer.
    pub fn without_printer() -> Self {
        let mut world = Self::new(true);
        world.config.prints = false;
        world.terminal = world.replayed();
        world.signing_on()
    }

    /// A terminal with a chip reader.
    pub fn reading_chips(extended: bool) -> Self {
        let mut world = Self::new(extended);
        world.config.chip = Some(ChipReader {
            terminal: crate::kernel::machine(),
            fallback: FallbackRule::default(),
        });
        world.terminal = world.replayed();
        world.signing_on()
    }

    /// It lets a chip card be swiped without a try.
    pub fn lenient(&mut self) {
        if let Some(reader) = &mut self.config.chip {
            reader.fallback.improper_swipes = true;
        }
        self.terminal = self.replayed();
    }

    fn signing_on(self) -> Self {
        let mut world = self;
        world.command(Command::SignOn);
        world.sign_on();
        assert_eq!(world.screens(), [Screen::SignedOn]);
        world
    }

    /// Serves the sign-on that is due now.
    pub fn sign_on(&mut self) {
        self.due();
        let sent = self.only(Kind::SignOn);
        let answer = self.host.sign_on(&sent.request);
        self.answer(&sent, &answer, Mac::Absent);
    }

    pub fn around<T>(&self, act: impl FnOnce(&Terminal, &Surroundings<'_>) -> T) -> T {
        let around = Surroundings {
            module: &self.module,
            now: self.now,
            random: &|| [0; 32],
        };
        act(&self.terminal, &around)
    }

    /// Decides, writes, acts and checks.
    pub fn input(&mut self, input: Input) {
        let trusted = matches!(
            &input,
            Input::Answer {
                mac: MacCheck::Right,
                ..
            } | Input::Cashier(Command::GoodsHandedOver(true))
        );
        let free = self.terminal.state().is_settled();
        let decision = self.terminal.decide(self.now, input);
        for record in &decision.records {
            self.terminal.apply(record);
            self.records.push(record.clone());
            if self.crash == Some((self.records.len(), false)) {
                return self.restart();
            }
        }
        for effect in decision.effects {
            self.act(effect, &decision.records, trusted, free);
        }
        self.check();
        if self.crash.is_some_and(|(at, _)| self.records.len() >= at) {
            // The requests have left; their answers find nobody.
            for sent in std::mem::take(&mut self.sent) {
                self.host.receive(&sent, Fate::AnswerLost);
            }
            self.restart();
        }
    }

    fn act(&mut self, effect: Effect, records: &[Record], trusted: bool, free: bool) {
        if let Effect::Send { exchange, sealed } = &effect {
            let asked = records.iter().any(|record| {
                matches!(record, Record::Asked { exchange: e, request, .. }
                    if e == exchange && *request == sealed.request)
            });
            assert!(asked, "T3: {:?} left before its record", sealed.request);
            match &sealed.request {
                // It goes before the reversal (reference §3.10).
                Request::Financial { sale, .. } if sale.kind == Kind::ScriptResult => {}
                Request::Financial { .. } => {
                    let by_supervisor =
                        |record: &Record| matches!(record, Record::Overridden { .. });
                    assert!(
                        free || records.iter().any(by_supervisor),
                        "T2: a sale while one is unresolved"
                    );
                }
                Request::Reversal { sale, .. } => {
                    assert!(
                        !self.approved.contains(&sale.key),
                        "T5: reversed after approved"
                    );
                }
                _ => {}
            }
            let mut bytes = Vec::new();
            let said = self
                .around(|terminal, around| terminal.say(around, &effect, &mut bytes))
                .unwrap()
                .unwrap();
            assert_eq!(said.to, Peer::Exchange(*exchange));
            let sent = self.host.read(*exchange, &bytes);
            assert_eq!(sent.request.kind(), sealed.request.kind());
            assert_eq!(sent.request.origin(), sealed.request.origin());
            assert_eq!(sent.request.sign(), sealed.request.sign());
            self.sent.push_back(sent);
            return;
        }
        match effect {
            Effect::Show(screen) => {
                if let Screen::Approved { key, .. } = screen {
                    let ended = records.iter().any(|record| {
                        matches!(
                            record,
                            Record::Ended {
                                ending: Ending::Approved(_),
                                ..
                            }
                        )
                    });
                    assert!(ended && trusted, "T1: approved without record or right MAC");
                    assert!(self.approved.insert(key), "T4: approved twice");
                }
                self.screens.push(screen);
            }
            Effect::Printer(effect) => self.printer.push(effect),
            Effect::Send { .. } | Effect::HangUp { .. } => {}
        }
    }

    /// State is a fold of records, survives a snapshot, holds no secret, and is never stuck.
    pub fn check(&self) {
        let state = self.terminal.state();
        assert_eq!(self.replayed().state(), state, "D4: the replay differs");
        let snapshot = postcard::to_stdvec(state).unwrap();
        assert_eq!(&postcard::from_bytes::<State>(&snapshot).unwrap(), state);
        let mut journal = snapshot;
        let mut text = format!("{state:?}");
        for record in self.records.iter().rev().take(12) {
            journal.extend(postcard::to_stdvec(record).unwrap());
            text += &format!("{record:?}");
        }
        for secret in [PAN, &PAN[6..], TRACK2, &TRACK2[16..], PIN] {
            assert!(!text.contains(secret), "a secret in {text}");
            let bytes = secret.as_bytes();
            assert!(!journal.windows(bytes.len()).any(|window| window == bytes));
        }
        let next = self.terminal.deadline();
        assert!(state.is_settled() || next.is_some(), "stuck: {state:?}");
    }

    fn replayed(&self) -> Terminal {
        let mut terminal = Terminal::new(self.config.clone());
        #[cfg(feature = "planted")]
        if let Some(bug) = self.bug {
            terminal.plant(bug);
        }
        self.records
            .iter()
            .for_each(|record| terminal.apply(record));
        terminal
    }

    /// The process is gone and comes back with what it had written.
    pub fn restart(&mut self) {
        self.crash = None;
        self.sent.clear();
        self.terminal = self.replayed();
        self.input(Input::Resumed);
    }

    pub fn command(&mut self, command: Command) {
        self.input(Input::Cashier(command));
    }

    pub fn present(&self) -> Presented {
        let pin = Pin::parse(PIN.as_bytes()).unwrap();
        let track2 = Track2::parse(TRACK2.as_bytes()).unwrap();
        self.around(|terminal, around| terminal.present(around, track2, Some(&pin)))
            .unwrap()
    }

    pub fn sale_command(&self, fen: u64) -> Command {
        Command::sale(Amount::fen(fen), self.present())
    }

    /// Starts a sale and gives its request.
    pub fn sell(&mut self) -> Sent {
        let command = self.sale_command(12_800);
        self.command(command);
        let sent = self.only(Kind::Purchase);
        assert_eq!(self.screens(), [Screen::Confirming(key(&sent))]);
        sent
    }

    /// A sale approved and done with.
    pub fn sell_and_approve(&mut self) -> SaleKey {
        let sent = self.sell();
        self.answer(&sent, &approval(&sent.request), Mac::Right);
        self.screens();
        key(&sent)
    }

    /// The one request that has been sent and not been looked at.
    pub fn only(&mut self, kind: Kind) -> Sent {
        let kinds: Vec<_> = self.sent.iter().map(|sent| sent.request.kind()).collect();
        assert_eq!(kinds, [kind]);
        self.sent.pop_front().unwrap()
    }

    pub fn nothing_sent(&self) {
        assert!(self.sent.is_empty(), "{:?}", self.sent);
    }

    /// Gives an answer as bytes.
    pub fn answer(&mut self, sent: &Sent, answer: &Answer, mac: Mac) {
        let bytes = self.host.write(answer, mac);
        self.frame(sent.exchange, &bytes);
    }

    pub fn code(&mut self, sent: &Sent, code: ResponseCode, mac: Mac) {
        self.answer(sent, &Answer::to(&sent.request, code), mac);
    }

    /// Gives bytes; false when the edge did not take them.
    pub fn frame(&mut self, exchange: u64, bytes: &[u8]) -> bool {
        let heard =
            self.around(|terminal, around| terminal.hear(around, Peer::Exchange(exchange), bytes));
        let taken = heard.is_ok();
        if let Ok(input) = heard {
            self.input(input);
        }
        taken
    }

    /// What was shown since the last look.
    pub fn screens(&mut self) -> Vec<Screen> {
        let mut screens = std::mem::take(&mut self.screens);
        screens.retain(|screen| !matches!(screen, Screen::Printer(_)));
        screens
    }

    /// What the cashier was told of the printer, oldest first.
    pub fn printer_screens(&mut self) -> Vec<Screen> {
        let told = |screen: &mut Screen| matches!(screen, Screen::Printer(_));
        self.screens.extract_if(.., told).collect()
    }

    /// Ticks whatever is due now.
    pub fn due(&mut self) {
        self.pass(0);
    }

    /// Lets time pass, with a tick at every deadline on the way.
    pub fn pass(&mut self, ms: u64) {
        let end = self.now.mono.plus_ms(ms);
        let mut ticks = 0;
        while let Some(at) = self.terminal.deadline().filter(|at| *at <= end) {
            ticks = if at > self.now.mono { 1 } else { ticks + 1 };
            assert!(
                ticks <= TICKS_MAX,
                "the deadline spins: {:?}",
                self.terminal.state()
            );
            self.set(at.max(self.now.mono));
            self.input(Input::Tick);
        }
        self.set(end);
    }

    fn set(&mut self, mono: Mono) {
        self.now.wall.0 += (mono.0 - self.now.mono.0) as i64 / 1_000;
        self.now.mono = mono;
    }

    /// Hands every request to the acquirer, each meeting the next of `fates`, and then all of them `last`.
    pub fn serve(&mut self, fates: &mut VecDeque<Fate>, last: Fate) {
        while let Some(sent) = self.sent.pop_front() {
            // Fates are for what the story is about, not for the sign-on before it.
            let fate = match sent.request.kind() {
                Kind::SignOn => last,
                _ => fates.pop_front().unwrap_or(last),
            };
            let reply = self.host.receive(&sent, fate);
            self.reply(&sent, reply);
        }
    }

    pub fn reply(&mut self, sent: &Sent, reply: Reply) {
        let exchange = sent.exchange;
        match reply {
            Reply::Answer(answer, mac) => self.answer(sent, &answer, mac),
            Reply::Silence => {}
            Reply::Refused => self.input(Input::NotSent { exchange }),
            Reply::Broken => self.input(Input::Lost { exchange }),
        }
    }

    /// Writes a record that a decision of another day wrote.
    pub fn write(&mut self, record: Record) {
        self.terminal.apply(&record);
        self.records.push(record);
        self.check();
    }

    /// When the terminal wants to be asked again.
    pub fn deadline(&self) -> Option<Mono> {
        self.terminal.deadline()
    }

    pub fn ending(&self, key: SaleKey) -> Option<Ending> {
        let mut completed = self.terminal.state().completed();
        completed.find(|c| c.sale.key == key).map(|c| c.ending)
    }

    pub fn endings(&self) -> Vec<(SaleKey, Ending)> {
        let completed = self.terminal.state().completed();
        completed.map(|c| (c.sale.key, c.ending)).collect()
    }
}

pub fn key(sent: &Sent) -> SaleKey {
    let origin = sent.request.origin();
    SaleKey {
        terminal: origin.terminal,
        merchant: origin.merchant,
        batch: origin.batch,
        stan: origin.stan.unwrap(),
    }
}
