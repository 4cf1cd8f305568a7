//! The data elements, one row each: number, name in both languages, and how secret a value is. Masking anywhere reads
//! this table and no other.

use Sensitivity::{CardData, Expiry, Key, Pan, Pin, Private, Public, Track};

/// One data element.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Element {
    /// 1..=128.
    pub number: u8,
    /// Chinese name.
    pub zh: &'static str,
    /// English name.
    pub en: &'static str,
    /// How its value may be shown.
    pub sensitivity: Sensitivity,
}

/// How a value may be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sensitivity {
    /// As it is.
    Public,
    /// First six and last four digits.
    Pan,
    /// The card number in it like a PAN, the rest never.
    Track,
    /// Never.
    Expiry,
    /// Never.
    Pin,
    /// Never: it may hold keys.
    Key,
    /// By its tags.
    CardData,
    /// Only its length, unless its layout is known.
    Private,
}

/// The row of an element; `None` outside 1..=128.
#[must_use]
pub fn element(number: u8) -> Option<&'static Element> {
    ELEMENTS.get(usize::from(number).checked_sub(1)?)
}

/// All rows; element n at index n - 1.
pub const ELEMENTS: &[Element; 128] = &[
    row(1, "扩展位元表", "Secondary bitmap", Public),
    row(2, "主账号", "Primary account number", Pan),
    row(3, "交易处理码", "Processing code", Public),
    row(4, "交易金额", "Amount, transaction", Public),
    row(5, "清算金额", "Amount, settlement", Public),
    row(6, "持卡人扣账金额", "Amount, cardholder billing", Public),
    row(7, "交易传输时间", "Transmission date and time", Public),
    row(
        8,
        "持卡人扣账手续费",
        "Amount, cardholder billing fee",
        Public,
    ),
    row(9, "清算汇率", "Conversion rate, settlement", Public),
    row(
        10,
        "持卡人扣账汇率",
        "Conversion rate, cardholder billing",
        Public,
    ),
    row(11, "受卡方系统跟踪号", "System trace audit number", Public),
    row(12, "受卡方所在地时间", "Local time", Public),
    row(13, "受卡方所在地日期", "Local date", Public),
    row(14, "卡有效期", "Expiry date", Expiry),
    row(15, "清算日期", "Settlement date", Public),
    row(16, "兑换日期", "Conversion date", Public),
    row(17, "获取日期", "Capture date", Public),
    row(18, "商户类型", "Merchant type", Public),
    row(
        19,
        "受理机构国家代码",
        "Acquiring institution country code",
        Public,
    ),
    row(20, "主账号国家代码", "PAN country code", Public),
    row(
        21,
        "转发机构国家代码",
        "Forwarding institution country code",
        Public,
    ),
    row(
        22,
        "服务点输入方式码",
        "Point of service entry mode",
        Public,
    ),
    row(23, "卡序列号", "Card sequence number", Public),
    row(
        24,
        "网络国际标识",
        "Network international identifier",
        Public,
    ),
    row(
        25,
        "服务点条件码",
        "Point of service condition code",
        Public,
    ),
    row(
        26,
        "服务点PIN获取码",
        "Point of service PIN capture code",
        Public,
    ),
    row(
        27,
        "授权标识应答长度",
        "Authorization identification response length",
        Public,
    ),
    row(28, "交易手续费", "Amount, transaction fee", Public),
    row(29, "清算手续费", "Amount, settlement fee", Public),
    row(
        30,
        "交易处理费",
        "Amount, transaction processing fee",
        Public,
    ),
    row(
        31,
        "清算处理费",
        "Amount, settlement processing fee",
        Public,
    ),
    row(
        32,
        "受理方标识码",
        "Acquiring institution identification",
        Public,
    ),
    row(
        33,
        "发送方标识码",
        "Forwarding institution identification",
        Public,
    ),
    row(34, "扩展主账号", "Primary account number, extended", Pan),
    row(35, "第二磁道数据", "Track 2 data", Track),
    row(36, "第三磁道数据", "Track 3 data", Track),
    row(37, "检索参考号", "Retrieval reference number", Public),
    row(
        38,
        "授权标识应答码",
        "Authorization identification response",
        Public,
    ),
    row(39, "应答码", "Response code", Public),
    row(40, "服务限制码", "Service restriction code", Public),
    row(
        41,
        "受卡机终端标识码",
        "Card acceptor terminal identification",
        Public,
    ),
    row(42, "受卡方标识码", "Card acceptor identification", Public),
    row(
        43,
        "受卡方名称地址",
        "Card acceptor name and location",
        Public,
    ),
    row(44, "附加响应数据", "Additional response data", Public),
    row(45, "第一磁道数据", "Track 1 data", Track),
    row(46, "附加数据（ISO）", "Additional data, ISO", Private),
    row(47, "附加数据（国家）", "Additional data, national", Private),
    row(48, "附加数据（私有）", "Additional data, private", Private),
    row(49, "交易货币代码", "Currency code, transaction", Public),
    row(50, "清算货币代码", "Currency code, settlement", Public),
    row(
        51,
        "持卡人账户货币代码",
        "Currency code, cardholder billing",
        Public,
    ),
    row(52, "个人标识码数据", "PIN data", Pin),
    row(
        53,
        "安全控制信息",
        "Security related control information",
        Public,
    ),
    row(54, "余额", "Additional amounts", Private),
    row(55, "IC卡数据域", "IC card data", CardData),
    row(56, "自定义域56", "Reserved 56", Private),
    row(
        57,
        "附加交易信息",
        "Additional transaction information",
        Private,
    ),
    row(
        58,
        "电子钱包交易信息",
        "Electronic purse information",
        Private,
    ),
    row(59, "自定义域59", "Reserved 59", Private),
    row(60, "自定义域60", "Reserved 60", Public),
    row(61, "原始信息域", "Original message", Private),
    row(62, "自定义域62", "Reserved 62", Key),
    row(63, "自定义域63", "Reserved 63", Private),
    row(64, "报文鉴别码", "Message authentication code", Public),
    row(65, "扩展位元表指示", "Extended bitmap indicator", Public),
    row(66, "清算代码", "Settlement code", Public),
    row(67, "扩展付款代码", "Extended payment code", Public),
    row(
        68,
        "接收机构国家代码",
        "Receiving institution country code",
        Public,
    ),
    row(
        69,
        "清算机构国家代码",
        "Settlement institution country code",
        Public,
    ),
    row(
        70,
        "网络管理信息码",
        "Network management information code",
        Public,
    ),
    row(71, "报文编号", "Message number", Public),
    row(72, "末条报文编号", "Last message number", Public),
    row(73, "动作日期", "Action date", Public),
    row(74, "贷记笔数", "Credits, number", Public),
    row(75, "贷记撤销笔数", "Credits, reversal number", Public),
    row(76, "借记笔数", "Debits, number", Public),
    row(77, "借记撤销笔数", "Debits, reversal number", Public),
    row(78, "转账笔数", "Transfers, number", Public),
    row(79, "转账撤销笔数", "Transfers, reversal number", Public),
    row(80, "查询笔数", "Inquiries, number", Public),
    row(81, "授权笔数", "Authorizations, number", Public),
    row(
        82,
        "贷记处理费金额",
        "Credits, processing fee amount",
        Public,
    ),
    row(
        83,
        "贷记交易费金额",
        "Credits, transaction fee amount",
        Public,
    ),
    row(
        84,
        "借记处理费金额",
        "Debits, processing fee amount",
        Public,
    ),
    row(
        85,
        "借记交易费金额",
        "Debits, transaction fee amount",
        Public,
    ),
    row(86, "贷记金额", "Credits, amount", Public),
    row(87, "贷记撤销金额", "Credits, reversal amount", Public),
    row(88, "借记金额", "Debits, amount", Public),
    row(89, "借记撤销金额", "Debits, reversal amount", Public),
    row(90, "原始数据元", "Original data elements", Public),
    row(91, "文件更新代码", "File update code", Public),
    row(92, "文件安全代码", "File security code", Key),
    row(93, "应答标识", "Response indicator", Public),
    row(94, "服务标识", "Service indicator", Public),
    row(95, "替换金额", "Replacement amounts", Public),
    row(96, "报文安全码", "Message security code", Key),
    row(97, "净清算金额", "Amount, net settlement", Public),
    row(98, "收款人", "Payee", Private),
    row(
        99,
        "清算机构标识码",
        "Settlement institution identification",
        Public,
    ),
    row(
        100,
        "接收方标识码",
        "Receiving institution identification",
        Public,
    ),
    row(101, "文件名", "File name", Public),
    row(102, "账户标识一", "Account identification 1", Pan),
    row(103, "账户标识二", "Account identification 2", Pan),
    row(104, "交易描述", "Transaction description", Private),
    row(105, "自定义域105", "Reserved 105", Private),
    row(106, "自定义域106", "Reserved 106", Private),
    row(107, "自定义域107", "Reserved 107", Private),
    row(108, "自定义域108", "Reserved 108", Private),
    row(109, "自定义域109", "Reserved 109", Private),
    row(110, "自定义域110", "Reserved 110", Private),
    row(111, "自定义域111", "Reserved 111", Private),
    row(112, "自定义域112", "Reserved 112", Private),
    row(113, "自定义域113", "Reserved 113", Private),
    row(114, "自定义域114", "Reserved 114", Private),
    row(115, "自定义域115", "Reserved 115", Private),
    row(116, "自定义域116", "Reserved 116", Private),
    row(117, "自定义域117", "Reserved 117", Private),
    row(118, "自定义域118", "Reserved 118", Private),
    row(119, "自定义域119", "Reserved 119", Private),
    row(120, "自定义域120", "Reserved 120", Private),
    row(121, "银联处理中心保留", "Reserved for the switch", Private),
    row(122, "受理方保留", "Reserved for the acquirer", Private),
    row(123, "发卡方保留", "Reserved for the issuer", Private),
    row(124, "自定义域124", "Reserved 124", Private),
    row(125, "自定义域125", "Reserved 125", Private),
    row(126, "自定义域126", "Reserved 126", Private),
    row(127, "自定义域127", "Reserved 127", Private),
    row(
        128,
        "报文鉴别码（扩展）",
        "Message authentication code, secondary",
        Public,
    ),
];

const fn row(number: u8, zh: &'static str, en: &'static str, sensitivity: Sensitivity) -> Element {
    Element {
        number,
        zh,
        en,
        sensitivity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_is_in_its_place_and_named() {
        for (index, row) in ELEMENTS.iter().enumerate() {
            assert_eq!(usize::from(row.number), index + 1);
            assert!(!row.zh.is_empty() && row.en.is_ascii());
            assert_eq!(element(row.number), Some(row));
        }
        assert_eq!((element(0), element(129)), (None, None));
    }
}
