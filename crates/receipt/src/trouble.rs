//! What keeps a printer from printing, and the words for it.
//!
//! Every trouble speaks of the printer and the paper only, never of the money.

use serde::{Deserialize, Serialize};

/// Why a slip waits or was given up.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Trouble {
    /// The roll is at its end.
    PaperOut,
    /// The cover is open; the paper sensors are not to be trusted meanwhile.
    CoverOpen,
    /// The printer says it is offline and gives no cause.
    Offline,
    /// A recoverable mechanical error: jammed paper.
    Jam,
    /// The automatic cutter is stuck.
    Cutter,
    /// The print head is too hot, or the supply voltage is wrong; clears by itself.
    HeadHot,
    /// The head should have cooled down long ago: the supply voltage is wrong.
    Voltage,
    /// An unrecoverable error: head, board or supply.
    Fault,
    /// No connection, or no answer over it.
    Unreachable,
    /// The printer announced that it is being switched off.
    PowerLost,
    /// Printing is switched off in our own settings.
    Disabled,
    /// Bytes were taken and nothing more was heard: nobody knows what is on the paper.
    Unknown,
    /// This device restarted or lost its power while a slip was in the printer.
    Interrupted,
    /// The printer is online and takes no more bytes.
    Stalled,
    /// What answers is not a receipt printer, or speaks at another speed.
    Misconfigured,
    /// It accepts a connection and stays silent: another device is printing on it.
    BusyElsewhere,
    /// Somebody looked: paper came out and nothing can be read on it.
    Blank,
    /// Somebody looked: only a part of the slip came out.
    Partial,
    /// Somebody looked: no paper came out.
    NothingCameOut,
}

impl Trouble {
    /// Every trouble, for tables and tests.
    pub const ALL: [Trouble; 19] = [
        Trouble::PaperOut,
        Trouble::CoverOpen,
        Trouble::Offline,
        Trouble::Jam,
        Trouble::Cutter,
        Trouble::HeadHot,
        Trouble::Voltage,
        Trouble::Fault,
        Trouble::Unreachable,
        Trouble::PowerLost,
        Trouble::Disabled,
        Trouble::Unknown,
        Trouble::Interrupted,
        Trouble::Stalled,
        Trouble::Misconfigured,
        Trouble::BusyElsewhere,
        Trouble::Blank,
        Trouble::Partial,
        Trouble::NothingCameOut,
    ];

    /// What it is and what to do, zh-CN and en.
    pub fn words(self) -> (&'static str, &'static str) {
        match self {
            Trouble::PaperOut => (
                "打印机缺纸，请装纸，有涂层的一面朝打印头",
                "Out of paper: load a roll, print side to the head",
            ),
            Trouble::CoverOpen => (
                "打印机盖未合上，请合盖至听到咔哒声",
                "Cover open: close it until it clicks",
            ),
            Trouble::Offline => (
                "打印机脱机，请合盖、松开走纸键或重新开机",
                "Printer offline: close the cover, release the feed button, or restart it",
            ),
            Trouble::Jam => (
                "打印机卡纸，请开盖取出卡住的纸",
                "Paper jam: open, remove the paper, close",
            ),
            Trouble::Cutter => (
                "切刀卡住，请将切刀推回，手工撕下凭条",
                "Cutter stuck: slide it back and tear the slip by hand",
            ),
            Trouble::HeadHot => (
                "打印头过热或电压异常，请稍候一分钟",
                "Print head too hot or wrong voltage: wait a minute",
            ),
            Trouble::Voltage => (
                "打印机电压异常，请检查电源适配器",
                "Wrong supply voltage: check the power adapter",
            ),
            Trouble::Fault => (
                "打印机硬件故障，请关机并联系维修",
                "Printer hardware fault: switch it off and call service",
            ),
            Trouble::Unreachable => (
                "连接不到打印机，请检查电源和数据线",
                "Printer unreachable: check its power and cable",
            ),
            Trouble::PowerLost => ("打印机已断电，请开机", "Printer has no power: switch it on"),
            Trouble::Disabled => (
                "本机已关闭凭条打印，请在设置中开启",
                "Slip printing is off: turn it on in the settings",
            ),
            Trouble::Unknown => (
                "打印结果未知，请查看凭条是否完整，必要时重打印",
                "Print result unknown: look at the paper, reprint if needed",
            ),
            Trouble::Interrupted => (
                "打印时本机断电或重启，请查看凭条是否完整",
                "This device restarted while printing: look at the paper",
            ),
            Trouble::Stalled => (
                "打印机不再接收数据，请重新开机",
                "Printer takes no more data: restart it",
            ),
            Trouble::Misconfigured => (
                "应答的设备不是凭条打印机，请检查所选的打印机、端口和波特率",
                "What answers is not a receipt printer: check printer, port and baud rate",
            ),
            Trouble::BusyElsewhere => (
                "打印机被另一台设备占用，请关闭那台设备的打印",
                "Another device holds the printer: close it there",
            ),
            Trouble::Blank => (
                "凭条空白，请将纸卷翻面后重打印",
                "The slip came out blank: turn the roll over",
            ),
            Trouble::Partial => (
                "凭条不完整，请销毁残缺凭条",
                "Only a part of the slip came out: destroy that part",
            ),
            Trouble::NothingCameOut => (
                "没有凭条出来，请查看打印机",
                "No slip came out: look at the printer",
            ),
        }
    }
}
