//! What the lab can break: one row for each fault, with its switch in the simulator.

use crate::demo::shop::Shop;
use crate::demo::world::Hosts;
use crate::fault::{Act, Direction, Fault};
use crate::printer::Bench;
use pages::lab::Part;
use receipt::virtual_printer;
use std::time::Duration;

/// A fault of the lab.
#[derive(Debug)]
pub(super) struct LabFault {
    /// Its name: that of the product's fault alphabet where it has one.
    pub id: &'static str,
    /// Where it stands on the page.
    pub part: Part,
    /// What happens.
    pub words: (&'static str, &'static str),
    /// Its class in the simulator.
    pub class: sim::Fault,
    does: Does,
}

/// Which connection.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// Till to acquirer.
    Till,
    /// Acquirer to network.
    Upstream,
    /// Issuer to network: the issuer is the side that connects.
    Bank,
}

#[derive(Clone, Copy, Debug)]
enum Does {
    /// Something happens to so many frames of a type.
    Frames(Line, u16, Direction, What, u32),
    /// The printer has a fault.
    Printer(virtual_printer::Fault),
    /// The wall clock of a party is wrong by so many minutes.
    Clock(Whose, i64),
}

/// Whose clock.
#[derive(Clone, Copy, Debug)]
enum Whose {
    Till,
    Acquirer,
    Network,
    Issuer,
}

impl Whose {
    fn set(self, hosts: &Hosts, shop: &Shop, minutes: i64) {
        let ms = minutes * 60_000;
        match self {
            Self::Till => shop.handle.skew_wall(ms),
            Self::Acquirer => hosts.acquirer.skew_wall(ms),
            Self::Network => hosts.network.skew_wall(ms),
            Self::Issuer => hosts.issuer.skew_wall(ms),
        }
    }
}

#[derive(Clone, Copy, Debug)]
enum What {
    Lost,
    Twice,
    /// So many milliseconds.
    Late(u64),
    /// So many milliseconds after the acquirer has given up.
    TooLate(u64),
}

const fn hop(
    id: &'static str,
    class: sim::Fault,
    words: (&'static str, &'static str),
    does: Does,
) -> LabFault {
    LabFault {
        id,
        part: Part::Hop,
        words,
        class,
        does,
    }
}

const fn printer(
    id: &'static str,
    words: (&'static str, &'static str),
    fault: virtual_printer::Fault,
) -> LabFault {
    LabFault {
        id,
        part: Part::Printer,
        words,
        class: sim::Fault::Printer,
        does: Does::Printer(fault),
    }
}

const fn clock(
    id: &'static str,
    words: (&'static str, &'static str),
    whose: Whose,
    minutes: i64,
) -> LabFault {
    LabFault {
        id,
        part: Part::Clock,
        words,
        class: sim::Fault::Clock,
        does: Does::Clock(whose, minutes),
    }
}

/// Every fault, in the order of the loop.
pub(super) const FAULTS: &[LabFault] = &[
    hop(
        "F1",
        sim::Fault::RequestLost,
        (
            "请求在到银联之前丢失",
            "the request is lost before the network",
        ),
        Does::Frames(Line::Upstream, 0x0200, Direction::Forth, What::Lost, 1),
    ),
    hop(
        "F2",
        sim::Fault::IssuerAnswerLost,
        (
            "发卡行已扣款，应答丢失（短信来了，小票没有）",
            "the bank debited, its answer is lost (SMS, no slip)",
        ),
        Does::Frames(Line::Bank, 0x0210, Direction::Forth, What::Lost, 1),
    ),
    hop(
        "F3",
        sim::Fault::NetworkAnswerLost,
        ("银联的应答没有回到前置", "the network's answer is lost"),
        Does::Frames(Line::Upstream, 0x0210, Direction::Back, What::Lost, 1),
    ),
    hop(
        "F4",
        sim::Fault::AcquirerAnswerLost,
        (
            "应答在最后一段丢失（前置知道成功，POS 没听到）",
            "the answer is lost on the last hop",
        ),
        Does::Frames(Line::Till, 0x0210, Direction::Back, What::Lost, 1),
    ),
    hop(
        "F8",
        sim::Fault::LateAnswer,
        (
            "成功应答在冲正发出之后才到",
            "the approval arrives after the reversal left",
        ),
        Does::Frames(
            Line::Upstream,
            0x0210,
            Direction::Back,
            What::TooLate(300),
            1,
        ),
    ),
    hop(
        "F9",
        sim::Fault::Duplicate,
        ("同一请求到了两次", "the same request arrives twice"),
        Does::Frames(Line::Upstream, 0x0200, Direction::Forth, What::Twice, 1),
    ),
    hop(
        "F10",
        sim::Fault::ReversalLost,
        (
            "头两次冲正也丢了（与 F1、F2 或 F3 一起）",
            "the first two reversals are lost too (with F1, F2 or F3)",
        ),
        Does::Frames(Line::Upstream, 0x0420, Direction::Forth, What::Lost, 2),
    ),
    hop(
        "F12",
        sim::Fault::Slow,
        (
            "应答慢 800 毫秒，仍在时限之内",
            "the answer is 800 ms slow, within its time",
        ),
        Does::Frames(Line::Upstream, 0x0210, Direction::Back, What::Late(800), 1),
    ),
    printer(
        "F7a",
        ("缺纸", "out of paper"),
        virtual_printer::Fault::PaperOut,
    ),
    printer("F7b", ("卡纸", "paper jam"), virtual_printer::Fault::Jam),
    printer(
        "F7c",
        ("纸装反了，打出来是白的", "the roll is upside down: blank"),
        virtual_printer::Fault::Blank,
    ),
    printer(
        "F7d",
        ("打印机脱机", "the printer is offline"),
        virtual_printer::Fault::Unplugged,
    ),
    printer(
        "F7e",
        ("打印机开盖", "the cover is open"),
        virtual_printer::Fault::CoverOpen,
    ),
    clock(
        "F13",
        ("终端的钟快 7 分钟", "the till's clock is 7 minutes fast"),
        Whose::Till,
        7,
    ),
    clock(
        "F13a",
        (
            "前置的钟慢 7 分钟",
            "the acquirer's clock is 7 minutes slow",
        ),
        Whose::Acquirer,
        -7,
    ),
    clock(
        "F13n",
        ("银联的钟快 7 分钟", "the network's clock is 7 minutes fast"),
        Whose::Network,
        7,
    ),
    clock(
        "F13i",
        ("发卡行的钟慢 7 分钟", "the bank's clock is 7 minutes slow"),
        Whose::Issuer,
        -7,
    ),
];

/// The fault of this name.
pub(super) fn find(id: &str) -> Option<&'static LabFault> {
    FAULTS.iter().find(|fault| fault.id == id)
}

impl LabFault {
    /// Breaks it.
    pub(super) fn arm(&self, hosts: &Hosts, shop: &Shop) {
        match self.does {
            Does::Frames(line, mti, direction, what, times) => {
                let act = match what {
                    What::Lost => Act::Drop,
                    What::Twice => Act::Twice,
                    What::Late(ms) => Act::Delay(Duration::from_millis(ms)),
                    What::TooLate(ms) => {
                        Act::Delay(Duration::from_millis(hosts.ladder.acquirer_ms + ms))
                    }
                };
                let hop = match line {
                    Line::Till => &shop.hop,
                    Line::Upstream => &hosts.upstream,
                    Line::Bank => &hosts.bank,
                };
                hop.plan(Fault {
                    mti: Some(mti),
                    direction,
                    act,
                    times,
                });
            }
            Does::Printer(fault) => shop.printer.with(|printer| printer.set_fault(fault, true)),
            Does::Clock(whose, minutes) => whose.set(hosts, shop, minutes),
        }
    }
}

/// Sets every clock right.
pub(super) fn set_clocks_right(hosts: &Hosts, shop: &Shop) {
    for whose in [Whose::Till, Whose::Acquirer, Whose::Network, Whose::Issuer] {
        whose.set(hosts, shop, 0);
    }
}

/// Ends every fault of the printer, as somebody with paper and a screwdriver would.
pub(super) fn mend_printer(bench: &Bench) {
    bench.with(|printer| {
        for fault in virtual_printer::Fault::ALL {
            printer.set_fault(fault, false);
        }
    });
}
