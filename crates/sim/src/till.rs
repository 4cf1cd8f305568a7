//! A till's printer with its cable, its troubles and the person who mends it; and what can be read on its paper.
//!
//! The paper is judged by its text alone.

use crate::core::{Core, Event, Who};
use crate::marks::Mark;
use crate::node::AnyInput;
use crate::weather::Fault;
use receipt::{Paper, SpoolEffect, SpoolInput, VirtualPrinter};
use std::collections::BTreeMap;

/// A printer and its cable.
#[derive(Clone, Debug)]
pub struct Till {
    pub printer: VirtualPrinter,
    connected: bool,
    /// Which connection; bytes of an older one are lost.
    connection: u32,
    sent: u32,
    unreachable: bool,
    read: usize,
    paper: PaperTrail,
}

/// What was read on a roll so far.
#[derive(Clone, Debug, Default)]
pub struct PaperTrail {
    /// By batch and voucher.
    pub slips: BTreeMap<(u32, u32), OnPaper>,
    reading: Reading,
}

/// Everything on paper about one voucher.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct OnPaper {
    /// Unmarked sales slips: the merchant's copy, the cardholder's.
    pub originals: [u32; 2],
    /// Marked ones.
    pub copies: [u32; 2],
    /// Proofs of a reversal.
    pub reversals: u32,
    /// The amount, in fen; `None` twice when two prints disagree.
    pub minor: Option<u64>,
    pub disagree: bool,
}

#[derive(Clone, Debug, Default)]
struct Reading {
    marked: bool,
    reversal: bool,
    copy: Option<usize>,
    batch: Option<u32>,
    voucher: Option<u32>,
}

impl Till {
    pub fn new() -> Self {
        Self {
            printer: VirtualPrinter::new(Paper::Mm58),
            connected: false,
            connection: 0,
            sent: 0,
            unreachable: false,
            read: 0,
            paper: PaperTrail::default(),
        }
    }

    /// The cable is out, or its other end died; a power cut takes the printer with it.
    pub fn lose(&mut self, power: bool) {
        self.connected = false;
        self.connection += 1;
        self.printer.disconnect();
        if power {
            self.printer.power_cut();
        }
    }

    pub fn mend(&mut self) {
        self.unreachable = false;
        self.printer.set_paper_out(false);
        self.printer.set_cover_open(false);
        self.printer.set_head_fault(false);
        self.printer.set_cutter_stuck(false);
    }

    /// What is on paper by now.
    pub fn paper(&mut self) -> PaperTrail {
        let papers = self.printer.papers();
        for piece in &papers[self.read..] {
            self.paper.read(&piece.text);
            self.paper.reading = Reading::default();
        }
        self.read = papers.len();
        let mut all = self.paper.clone();
        all.read(&self.printer.unfinished().text);
        all
    }
}

/// The amount that a line says: in money with its sign, in quota on a line of its own.
fn amount_of(line: &str) -> Option<&str> {
    let plain = |text: &str| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    };
    let quota = || Some(line).filter(|line| line.contains('.') && plain(line));
    line.strip_prefix("RMB:￥").or_else(quota)
}

impl PaperTrail {
    fn read(&mut self, text: &str) {
        for line in text.lines().map(str::trim) {
            let reading = &mut self.reading;
            if line.starts_with("第 ") && line.ends_with("次重打印") {
                *reading = Reading {
                    marked: true,
                    ..Reading::default()
                };
            } else if ["POS签购单", "冲正凭证", "易货单", "易货冲正凭证"].contains(&line)
            {
                let marked = std::mem::take(&mut reading.marked);
                *reading = Reading {
                    marked,
                    reversal: line.ends_with("冲正凭证"),
                    ..Reading::default()
                };
            } else if line == "易货代理存根" {
                reading.copy = None;
            } else if ["商户存根", "卖方存根"].contains(&line) {
                reading.copy = Some(0);
            } else if ["持卡人存根", "买方存根"].contains(&line) {
                reading.copy = Some(1);
            } else if let Some(number) = line.strip_prefix("批次号") {
                reading.batch = number.trim().parse().ok();
            } else if let Some(number) = line.strip_prefix("凭证号") {
                reading.voucher = number.trim().parse().ok();
            } else if let Some(amount) = amount_of(line) {
                let minor = amount.replace('.', "").parse().ok();
                let Reading {
                    marked,
                    reversal,
                    copy,
                    batch,
                    voucher,
                } = std::mem::take(reading);
                let (Some(batch), Some(voucher), Some(copy)) = (batch, voucher, copy) else {
                    continue;
                };
                let slip = self.slips.entry((batch, voucher)).or_default();
                match (reversal, marked) {
                    (true, _) => slip.reversals += 1,
                    (false, true) => slip.copies[copy] += 1,
                    (false, false) => slip.originals[copy] += 1,
                }
                slip.disagree |= slip.minor.is_some() && slip.minor != minor;
                slip.minor = minor;
            }
        }
    }
}

impl Core {
    fn spool(&mut self, after_us: u64, terminal: u8, input: SpoolInput) {
        let input = AnyInput::Terminal(terminal::Input::Printer(input));
        self.push_input(after_us, Who::Terminal(terminal), input);
    }

    pub fn printer_effect(&mut self, terminal: u8, effect: SpoolEffect) {
        let at = usize::from(terminal);
        match effect {
            SpoolEffect::Connect => {
                let till = &mut self.tills[at];
                till.connection += 1;
                till.connected = !till.unreachable;
                let input = if till.connected {
                    SpoolInput::Connected
                } else {
                    SpoolInput::Lost
                };
                self.spool(1_500, terminal, input);
            }
            SpoolEffect::Query => {
                self.send_to_printer(terminal, receipt::escpos::STATUS_QUESTION.to_vec(), 800)
            }
            SpoolEffect::Send { job, bytes } => {
                self.tills[at].sent += 1;
                let trouble = self.fires(
                    Fault::Printer,
                    30 + u32::from(terminal),
                    self.tills[at].sent,
                );
                let delay = trouble.map_or(4_000, |draw| self.trouble(terminal, draw));
                self.spool(700, terminal, SpoolInput::Wrote { job });
                self.send_to_printer(terminal, bytes, delay);
            }
            SpoolEffect::Close => self.tills[at].lose(false),
            SpoolEffect::Command(bytes) => self.send_to_printer(terminal, bytes, 800),
            SpoolEffect::Changed { .. }
            | SpoolEffect::PrinterChanged(_)
            | SpoolEffect::Refused { .. } => {}
        }
    }

    fn send_to_printer(&mut self, terminal: u8, bytes: Vec<u8>, delay: u64) {
        let till = &self.tills[usize::from(terminal)];
        if till.connected {
            let connection = till.connection;
            self.push(
                self.time + delay,
                Event::PrinterHears(terminal, connection, bytes),
            );
        } else {
            self.spool(500, terminal, SpoolInput::Lost);
        }
    }

    /// Something happens to the printer just before a slip; gives how long the slip takes to get there.
    fn trouble(&mut self, terminal: u8, draw: u64) -> u64 {
        let till = &mut self.tills[usize::from(terminal)];
        let lines = draw / 8 % 30;
        let mut delay = 4_000;
        match draw % 8 {
            0 | 1 => {
                till.printer.set_paper_lines_left(Some(lines as u32));
                self.mark(Mark::PaperOutMidSlip);
            }
            2 => till.printer.set_cover_open(true),
            3 => till.printer.set_cutter_stuck(true),
            4 => till.printer.set_head_fault(true),
            5 => {
                till.lose(true);
                till.unreachable = true;
                self.spool(3_000, terminal, SpoolInput::Lost);
            }
            6 => {
                till.lose(false);
                till.unreachable = draw.is_multiple_of(3);
                self.spool(9_000, terminal, SpoolInput::Lost);
            }
            _ => delay = 100_000 + lines * 300_000,
        }
        let mended = self.time + 500_000 + lines * 400_000;
        self.push(mended, Event::PrinterMended(terminal));
        delay
    }

    pub fn printer_hears(&mut self, terminal: u8, connection: u32, bytes: &[u8]) {
        let till = &mut self.tills[usize::from(terminal)];
        if !till.connected || till.connection != connection {
            return;
        }
        let said = till.printer.hear(bytes);
        self.printer_says(terminal, said);
    }

    pub fn printer_mended(&mut self, terminal: u8) {
        let till = &mut self.tills[usize::from(terminal)];
        till.mend();
        let said = till.printer.answers();
        if till.connected {
            self.printer_says(terminal, said);
        }
    }

    fn printer_says(&mut self, terminal: u8, said: Vec<u8>) {
        if !said.is_empty() {
            self.spool(900, terminal, SpoolInput::Heard(said));
        }
    }

    /// Whether every copy of a sale's slip can be read on its till's paper.
    pub fn is_on_paper(&mut self, number: u32) -> bool {
        let sale = &self.oracle.sales[number as usize];
        let Some(key) = sale.key else { return false };
        let paper = self.tills[usize::from(sale.terminal)].paper();
        let slip = paper.slips.get(&(key.batch.0, key.stan.0));
        slip.is_some_and(|slip| (0..2).all(|copy| slip.originals[copy] + slip.copies[copy] > 0))
    }
}
