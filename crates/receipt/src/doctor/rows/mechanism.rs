//! Rows of the printer's mechanism: cover, cutter, head, supply, and what nobody should touch.

use super::{Fault, Next, Part, Question, Row, Swap, Test, has};
use crate::doctor::Reach;
use crate::trouble::Trouble;

pub(super) const WATER_OR_BURN: Row = Row {
    fault: Fault::WaterOrBurn,
    id: "water-or-burn",
    name: ("进水、冒烟或焦味", "Water, smoke or burning smell"),
    machine: ("看不到，只能由人报告", "nothing: only a person can tell"),
    asks: &[Question::Wet],
    apart: (
        "优先于一切；任何时候都可以报告",
        "goes before everything; may be told at any time",
    ),
    instruction: (
        "停！手干后拔掉电源插头，不要再用",
        "STOP. With dry hands pull the power plug; do not use it",
    ),
    test: Test::Never,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Printer, Part::PowerSupply],
    recovers: false,
    source: "A85",
    sees: |_, heard| heard.wet == Some(true),
};

pub(super) const COVER_OPEN: Row = Row {
    fault: Fault::CoverOpen,
    id: "cover-open",
    name: ("盖未合上", "Cover open"),
    machine: ("EOT 2 的 04 位", "EOT 2 bit 04"),
    asks: &[],
    apart: (
        "开盖时纸传感器不可信，先合盖再看纸",
        "paper sensors are not to be trusted meanwhile: the cover first, then the paper",
    ),
    instruction: (
        "请合上打印机盖，直到听见咔哒声",
        "Close the cover until it clicks",
    ),
    test: Test::Clears(Trouble::CoverOpen),
    swap: None,
    otherwise: Next::Row(Fault::NotReady),
    parts: &[Part::Sensor],
    recovers: false,
    source: "§6.6",
    sees: |sight, _| has(sight, Trouble::CoverOpen),
};

pub(super) const UNRECOVERABLE: Row = Row {
    fault: Fault::Unrecoverable,
    id: "unrecoverable",
    name: ("打印头或主板故障", "Head or board fault"),
    machine: ("EOT 3 的 20 位", "EOT 3 bit 20"),
    asks: &[Question::Wet],
    apart: (
        "切刀、卡纸和过热各有自己的位",
        "cutter, jam and heat have bits of their own",
    ),
    instruction: (
        "请关闭打印机，等十秒，再打开",
        "Switch the printer off, wait ten seconds, switch it on",
    ),
    test: Test::Clears(Trouble::Fault),
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Head, Part::Board, Part::Printer],
    recovers: false,
    source: "§6.9, A75",
    sees: |sight, _| has(sight, Trouble::Fault),
};

pub(super) const CUTTER_STUCK: Row = Row {
    fault: Fault::CutterStuck,
    id: "cutter-stuck",
    name: ("切刀卡住", "Cutter stuck"),
    machine: (
        "EOT 3 的 08 位；小票正文可能已经打完",
        "EOT 3 bit 08; the slip itself may be on paper",
    ),
    asks: &[],
    apart: (
        "卡纸是 04 位；正文已打完就撕下，不用重打",
        "a jam is bit 04; a slip that is complete is torn off, not printed anew",
    ),
    instruction: (
        "请开盖，把切刀推回原位，再合盖",
        "Open the cover, slide the cutter back, close it",
    ),
    test: Test::Clears(Trouble::Cutter),
    swap: None,
    otherwise: Next::Row(Fault::NotReady),
    parts: &[Part::Cutter],
    recovers: true,
    source: "§6.7",
    sees: |sight, _| has(sight, Trouble::Cutter),
};

pub(super) const PAPER_JAM: Row = Row {
    fault: Fault::PaperJam,
    id: "paper-jam",
    name: ("卡纸", "Paper jam"),
    machine: ("EOT 3 的 04 位", "EOT 3 bit 04"),
    asks: &[],
    apart: ("切刀是 08 位", "the cutter is bit 08"),
    instruction: (
        "请开盖，取出卡住的纸，再合盖",
        "Open the cover, take the jammed paper out, close it",
    ),
    test: Test::Clears(Trouble::Jam),
    swap: Some(Swap::Roll),
    otherwise: Next::Ticket,
    parts: &[Part::Platen, Part::Cutter],
    recovers: true,
    source: "§6.5, A73",
    sees: |sight, _| has(sight, Trouble::Jam),
};

pub(super) const HEAD_HOT: Row = Row {
    fault: Fault::HeadHot,
    id: "head-hot",
    name: ("打印头过热", "Head too hot"),
    machine: (
        "EOT 3 的 40 位，三分钟内自行消失",
        "EOT 3 bit 40, clears by itself within three minutes",
    ),
    asks: &[Question::Wet],
    apart: (
        "三分钟后仍在，就是电源电压",
        "still there after three minutes it is the supply voltage",
    ),
    instruction: (
        "请等三分钟让打印头冷却，不要关机",
        "Wait three minutes while the head cools; leave it on",
    ),
    test: Test::Clears(Trouble::HeadHot),
    swap: None,
    otherwise: Next::Row(Fault::SupplyVoltage),
    parts: &[Part::Head],
    recovers: false,
    source: "§6.8, A75",
    sees: |sight, _| has(sight, Trouble::HeadHot),
};

pub(super) const SUPPLY_VOLTAGE: Row = Row {
    fault: Fault::SupplyVoltage,
    id: "supply-voltage",
    name: ("电源电压异常", "Wrong supply voltage"),
    machine: (
        "EOT 3 的 40 位，三分钟后仍在",
        "EOT 3 bit 40, still there after three minutes",
    ),
    asks: &[Question::Wet],
    apart: (
        "过热会自行消失，电压不会",
        "heat goes away by itself, voltage does not",
    ),
    instruction: (
        "请把电源直接插到墙上插座，不用插线板",
        "Plug the supply straight into the wall, no extension",
    ),
    test: Test::Clears(Trouble::HeadHot),
    swap: Some(Swap::PowerSupply),
    otherwise: Next::Ticket,
    parts: &[Part::PowerSupply, Part::Head],
    recovers: false,
    source: "§6.8, A75, A84, A86",
    sees: |sight, _| has(sight, Trouble::Voltage),
};

pub(super) const NOT_READY: Row = Row {
    fault: Fault::NotReady,
    id: "not-ready",
    name: ("工作灯不亮，脱机", "Ready lamp off, offline"),
    machine: (
        "EOT 1 的 08 位，EOT 2 和 EOT 3 没有原因",
        "EOT 1 bit 08 without a cause in EOT 2 and EOT 3",
    ),
    asks: &[Question::PowerLamp, Question::ReadyLamp],
    apart: (
        "电源灯亮：不是断电；没有原因位：走纸键被压、自检或正在启动",
        "the power lamp is on; no cause bit: feed button held, self-test, or starting up",
    ),
    instruction: (
        "请合盖，松开走纸键，再重新开机",
        "Close the cover, release the feed button, restart it",
    ),
    test: Test::Clears(Trouble::Offline),
    swap: Some(Swap::Printer),
    otherwise: Next::Ticket,
    parts: &[Part::Board, Part::Printer],
    recovers: false,
    source: "§6.2, A78, A84",
    sees: |sight, heard| {
        let lamp_off = sight.reach == Reach::Down
            && heard.power_lamp == Some(true)
            && heard.ready_lamp == Some(false);
        lamp_off || has(sight, Trouble::Offline)
    },
};
