//! Rows of settings, software and the computer's print queue: the printer itself is well.

use super::{Fault, Next, Part, Question, Row, Symptom, Test, looks};
use crate::doctor::Queue;

pub(super) const PRINTING_OFF: Row = Row {
    fault: Fault::PrintingOff,
    id: "printing-off",
    name: ("小票打印已关闭", "Printing is switched off"),
    machine: (
        "本机设置中打印为关；记有谁、何时关闭",
        "the till's own setting is off; it keeps by whom and since when",
    ),
    asks: &[],
    apart: (
        "什么都没有发给打印机；打印机本身可能完好",
        "nothing was sent to the printer, which may be well",
    ),
    instruction: (
        "请在本机设置中打开小票打印",
        "Turn slip printing on in this till's settings",
    ),
    test: Test::SwitchedOn,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Software],
    recovers: false,
    source: "§6.13, A79, A80",
    sees: |sight, _| sight.off.is_some(),
};

pub(super) const WINDOWS_OFFLINE: Row = Row {
    fault: Fault::WindowsOffline,
    id: "windows-offline",
    name: ("电脑设为脱机使用", "The computer uses it offline"),
    machine: (
        "打印队列带“脱机使用”标志，直接连接却有应答",
        "the queue is flagged \"use offline\" while a direct connection is answered",
    ),
    asks: &[Question::Paper],
    apart: (
        "直接连接有应答：不是线，也不是电源",
        "a direct connection is answered: neither cable nor power",
    ),
    instruction: (
        "请在打印机菜单中取消“脱机使用打印机”",
        "Untick \"Use Printer Offline\" in the printer's menu",
    ),
    test: Test::QueueOnline,
    swap: None,
    otherwise: Next::Row(Fault::WindowsStatus),
    parts: &[Part::Software],
    recovers: false,
    source: "§6.12, A78",
    sees: |sight, heard| sight.queue == Queue::WorkOffline || looks(heard, Symptom::Offline),
};

pub(super) const WINDOWS_STATUS: Row = Row {
    fault: Fault::WindowsStatus,
    id: "windows-status",
    name: ("电脑误判为脱机", "The computer takes it for offline"),
    machine: (
        "端口的 SNMP 状态查询无应答，9100 端口却有应答",
        "the port's SNMP status poll is unanswered while port 9100 answers",
    ),
    asks: &[],
    apart: (
        "没有人勾选“脱机使用”",
        "nobody ticked \"Use Printer Offline\"",
    ),
    instruction: (
        "请在端口设置中取消“启用 SNMP 状态”",
        "Untick \"SNMP Status Enabled\" in its port settings",
    ),
    test: Test::QueueOnline,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Software],
    recovers: false,
    source: "§6.12, §4.5, A81",
    sees: |sight, _| sight.queue == Queue::PortOffline,
};

pub(super) const RESULT_PENDING: Row = Row {
    fault: Fault::ResultPending,
    id: "result-pending",
    name: ("网络慢，结果未回", "Weak network: no result yet"),
    machine: (
        "交易还没有结果，没有可打的小票",
        "a sale has no result yet: there is no slip to print",
    ),
    asks: &[],
    apart: (
        "到主机的线路与到打印机的线路是两条，分别测试",
        "the link to the host and the link to the printer are two; each is tested",
    ),
    instruction: (
        "请等交易结果，小票随后自动打印",
        "Wait for the sale's result; the slip prints by itself",
    ),
    test: Test::ResultKnown,
    swap: None,
    otherwise: Next::TestPage,
    parts: &[],
    recovers: false,
    source: "§6.15",
    sees: |sight, _| sight.result_pending,
};

pub(super) const SOFTWARE_OLD: Row = Row {
    fault: Fault::SoftwareOld,
    id: "software-old",
    name: ("程序过旧，缺小票模板", "Software too old: no template"),
    machine: (
        "该类交易没有小票模板，排版出错，打印机正常",
        "no template for this kind of sale: an error of the layout, not of the printer",
    ),
    asks: &[Question::Paper],
    apart: ("其他交易能打印", "other kinds of sale print"),
    instruction: (
        "请更新收银程序；此前用通用小票打印",
        "Update the till's software; plain slips print meanwhile",
    ),
    test: Test::Template,
    swap: None,
    otherwise: Next::Ticket,
    parts: &[Part::Software],
    recovers: false,
    source: "§6.14",
    sees: |sight, heard| sight.template_missing || looks(heard, Symptom::SomeSales),
};
