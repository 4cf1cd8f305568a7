//! BER-TLV of card data (element 55): a bounded walk over bytes that never trusts a length, and the names of the tags
//! of reference §2.7. Unknown tags are fine.

use core::fmt;

use crate::field::Sensitivity::{self, CardData, Expiry, Private, Public};

/// Bytes of the longest tag.
const TAG_BYTES_MAX: usize = 3;

/// One data object.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Tlv<'a> {
    /// Tag as its bytes in a number: `0x9F26`.
    pub tag: u32,
    /// Value.
    pub value: &'a [u8],
    /// Where the tag starts.
    pub offset: usize,
}

impl fmt::Debug for Tlv<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tlv({:X}, {} bytes)", self.tag, self.value.len())
    }
}

/// Bytes that are no data object.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TlvError {
    /// Where the object starts.
    pub offset: usize,
    /// What is wrong.
    pub what: &'static str,
}

impl core::error::Error for TlvError {}

impl fmt::Display for TlvError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "card data at byte {}: {}", self.offset, self.what)
    }
}

/// The objects in order; ends after the first error.
#[must_use]
pub fn walk(bytes: &[u8]) -> Walk<'_> {
    Walk { bytes, at: 0 }
}

/// Value of the first object with this tag.
///
/// # Errors
/// If the bytes break before it is found.
pub fn find(bytes: &[u8], tag: u32) -> Result<Option<&[u8]>, TlvError> {
    for object in walk(bytes) {
        let object = object?;
        if object.tag == tag {
            return Ok(Some(object.value));
        }
    }
    Ok(None)
}

/// Appends an object, length in the shortest form.
///
/// # Panics
/// If the value is longer than 65535 bytes.
pub fn write(out: &mut Vec<u8>, tag: u32, value: &[u8]) {
    let tag = tag.to_be_bytes();
    let zeros = tag.iter().take_while(|&&byte| byte == 0).count().min(3);
    out.extend_from_slice(&tag[zeros..]);
    let length = u16::try_from(value.len()).expect("card data of one element are below 1000 bytes");
    match (length, length.to_be_bytes()) {
        (0..=0x7F, [_, low]) => out.push(low),
        (0x80..=0xFF, [_, low]) => out.extend_from_slice(&[0x81, low]),
        (_, [high, low]) => out.extend_from_slice(&[0x82, high, low]),
    }
    out.extend_from_slice(value);
}

/// Iterator of [`walk`].
#[derive(Clone, Debug)]
pub struct Walk<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Iterator for Walk<'a> {
    type Item = Result<Tlv<'a>, TlvError>;

    fn next(&mut self) -> Option<Self::Item> {
        let offset = self.at;
        let rest = self.bytes.get(offset..).filter(|rest| !rest.is_empty())?;
        match object(rest) {
            Ok((tag, value, used)) => {
                self.at += used;
                Some(Ok(Tlv { tag, value, offset }))
            }
            Err(what) => {
                self.at = self.bytes.len();
                Some(Err(TlvError { offset, what }))
            }
        }
    }
}

/// Tag, value and bytes used of the first object.
fn object(bytes: &[u8]) -> Result<(u32, &[u8], usize), &'static str> {
    let mut tag = u32::from(bytes[0]);
    let mut at = 1;
    if tag & 0x1F == 0x1F {
        loop {
            let &byte = bytes.get(at).ok_or("tag cut off")?;
            at += 1;
            if at > TAG_BYTES_MAX {
                return Err("tag longer than three bytes");
            }
            tag = tag << 8 | u32::from(byte);
            if byte & 0x80 == 0 {
                break;
            }
        }
    }
    let &first = bytes.get(at).ok_or("length missing")?;
    at += 1;
    let length_bytes = match first {
        0..=0x7F => 0,
        0x81 | 0x82 => usize::from(first & 0x7F),
        _ => return Err("length form"),
    };
    let length = if length_bytes == 0 {
        usize::from(first)
    } else {
        let more = bytes.get(at..at + length_bytes).ok_or("length cut off")?;
        at += length_bytes;
        more.iter()
            .fold(0, |length, &byte| length << 8 | usize::from(byte))
    };
    let value = bytes.get(at..at + length).ok_or("value cut off")?;
    Ok((tag, value, at + length))
}

/// Name and sensitivity of a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tag {
    /// Tag as its bytes in a number.
    pub tag: u32,
    /// Chinese name.
    pub zh: &'static str,
    /// English name.
    pub en: &'static str,
    /// How its value may be shown.
    pub sensitivity: Sensitivity,
}

/// The row of a tag.
#[must_use]
pub fn tag(tag: u32) -> Option<&'static Tag> {
    TAGS.iter().find(|row| row.tag == tag)
}

/// The tags that card messages carry.
pub const TAGS: &[Tag] = &[
    row(0x4F, "应用标识符", "Application identifier", Public),
    row(0x50, "应用标签", "Application label", Public),
    row(0x57, "二磁道等效数据", "Track 2 equivalent data", CardData),
    row(0x5A, "应用主账号", "Application PAN", CardData),
    row(0x5F20, "持卡人姓名", "Cardholder name", Private),
    row(
        0x5F24,
        "应用失效日期",
        "Application expiration date",
        Expiry,
    ),
    row(0x5F2A, "交易货币代码", "Transaction currency code", Public),
    row(0x5F34, "应用主账号序列号", "PAN sequence number", Public),
    row(0x71, "发卡行脚本模板1", "Issuer script template 1", Public),
    row(0x72, "发卡行脚本模板2", "Issuer script template 2", Public),
    row(
        0x82,
        "应用交互特征",
        "Application interchange profile",
        Public,
    ),
    row(0x84, "专用文件名称", "Dedicated file name", Public),
    row(0x8A, "授权响应码", "Authorisation response code", Public),
    row(0x91, "发卡行认证数据", "Issuer authentication data", Public),
    row(
        0x95,
        "终端验证结果",
        "Terminal verification results",
        Public,
    ),
    row(0x9A, "交易日期", "Transaction date", Public),
    row(
        0x9B,
        "交易状态信息",
        "Transaction status information",
        Public,
    ),
    row(0x9C, "交易类型", "Transaction type", Public),
    row(0x9F02, "授权金额", "Amount, authorised", Public),
    row(0x9F03, "其他金额", "Amount, other", Public),
    row(
        0x9F06,
        "应用标识符（终端）",
        "Application identifier, terminal",
        Public,
    ),
    row(0x9F09, "应用版本号", "Application version number", Public),
    row(0x9F10, "发卡行应用数据", "Issuer application data", Public),
    row(0x9F1A, "终端国家代码", "Terminal country code", Public),
    row(
        0x9F1E,
        "接口设备序列号",
        "Interface device serial number",
        Public,
    ),
    row(0x9F22, "公钥索引", "Public key index", Public),
    row(0x9F26, "应用密文", "Application cryptogram", Public),
    row(
        0x9F27,
        "密文信息数据",
        "Cryptogram information data",
        Public,
    ),
    row(0x9F33, "终端性能", "Terminal capabilities", Public),
    row(
        0x9F34,
        "持卡人验证结果",
        "Cardholder verification results",
        Public,
    ),
    row(0x9F35, "终端类型", "Terminal type", Public),
    row(
        0x9F36,
        "应用交易计数器",
        "Application transaction counter",
        Public,
    ),
    row(0x9F37, "不可预知数", "Unpredictable number", Public),
    row(
        0x9F41,
        "交易序列计数器",
        "Transaction sequence counter",
        Public,
    ),
    row(
        0x9F63,
        "卡产品标识信息",
        "Card product identification",
        Public,
    ),
    row(
        0x9F74,
        "电子现金发卡行授权码",
        "E-cash issuer authorisation code",
        Public,
    ),
    row(0xDF31, "发卡行脚本结果", "Issuer script results", Public),
    row(0xDF32, "芯片序列号", "Chip serial number", Private),
    row(0xDF33, "过程密钥数据", "Session key data", CardData),
    row(0xDF34, "终端读取时间", "Terminal reading time", Public),
];

const fn row(tag: u32, zh: &'static str, en: &'static str, sensitivity: Sensitivity) -> Tag {
    Tag {
        tag,
        zh,
        en,
        sensitivity,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn objects_are_walked_and_written_back() {
        let long = [7; 200];
        let mut bytes = Vec::new();
        for (tag, value) in [
            (0x9F26, &[1; 8][..]),
            (0x95, &[]),
            (0xDF31, &long),
            (0x5FFF01, &[2; 300]),
        ] {
            write(&mut bytes, tag, value);
        }
        let tags: Vec<_> = walk(&bytes)
            .map(|object| object.map(|object| (object.tag, object.value.len())))
            .collect();
        assert_eq!(
            tags,
            [
                Ok((0x9F26, 8)),
                Ok((0x95, 0)),
                Ok((0xDF31, 200)),
                Ok((0x5FFF01, 300))
            ]
        );
        assert_eq!(find(&bytes, 0xDF31), Ok(Some(&long[..])));
        assert_eq!(find(&bytes, 0x9F10), Ok(None));
        assert_eq!(
            format!("{:?}", walk(&bytes).next()),
            "Some(Ok(Tlv(9F26, 8 bytes)))"
        );
    }

    #[test]
    fn broken_objects_are_refused_with_their_place() {
        for (bytes, what) in [
            (&[0x95, 0, 0x9F][..], "tag cut off"),
            (
                &[0x95, 0, 0x9F, 0x81, 0x81, 0x01],
                "tag longer than three bytes",
            ),
            (&[0x95, 0, 0x95], "length missing"),
            (&[0x95, 0, 0x95, 0x80], "length form"),
            (&[0x95, 0, 0x95, 0x83, 0, 0, 0], "length form"),
            (&[0x95, 0, 0x95, 0x82, 0], "length cut off"),
            (&[0x95, 0, 0x95, 5, 0], "value cut off"),
            (&[0x95, 0, 0x95, 0x82, 0xFF, 0xFF], "value cut off"),
        ] {
            let last = walk(bytes).last().unwrap();
            assert_eq!(last, Err(TlvError { offset: 2, what }));
            assert_eq!(walk(bytes).count(), 2);
        }
    }

    #[test]
    fn every_tag_has_one_row() {
        for (index, row) in TAGS.iter().enumerate() {
            assert!(
                TAGS[..index].iter().all(|other| other.tag != row.tag),
                "{:X}",
                row.tag
            );
        }
        assert_eq!(
            tag(0x9F26).map(|row| row.en),
            Some("Application cryptogram")
        );
    }
}
