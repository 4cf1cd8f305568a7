//! The test page of a printer.
//!
//! Its code is the headline: read out by a person, it proves the roll's side, the head and the font; no sale is on it.

use super::sheet::Sheet;
use super::{Align, Size, Slip, SlipFields};

pub(super) fn test_page(mut sheet: Sheet, fields: &SlipFields) -> Slip {
    let (zh, en) = fields.title.words();
    sheet.title(zh, en);
    sheet.rule();
    sheet.plain("请读出下面的四位数字", "READ THESE FOUR DIGITS OUT");
    let code = sheet.words(&fields.headline);
    sheet.text(code, Align::Centre, Size::Double, false);
    sheet.rule();
    sheet.pair("来自", "FROM", &fields.terminal_id);
    sheet.pair("日期/时间", "DATE/TIME", &fields.date_time);
    sheet.plain(
        "0123456789 ABCDEFGHIJKLMNOPQRST",
        "0123456789 ABCDEFGHIJKLMNOPQRST",
    );
    sheet.plain(
        "汉字测试：壹贰叁肆伍陆柒捌玖拾￥",
        "The quick brown fox jumps over.",
    );
    sheet.rule();
    sheet.slip()
}
