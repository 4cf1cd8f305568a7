//! One slip, four drawings: they say the same, and nothing in them is a command by accident.

use crate::kinds::{chip, settlement, shift};
use crate::purchase;
use encoding_rs::GB18030;
use expect_test::expect;
use proptest::prelude::*;
use receipt::slip::{Align, Row, Size, Wording};
use receipt::{
    Bitmap, CopyOf, InstalledPrinter, Language, Means, NoGlyph, Paper, Reprint, Slip, SlipFields,
    Unmappable, lay_out, lay_out_settlement, lay_out_shift,
};
use resvg::{tiny_skia, usvg};

const PAPERS: [Paper; 3] = [Paper::Mm58, Paper::Mm80At180Dpi, Paper::Mm80];
const LANGUAGES: [Language; 3] = [Language::Zh, Language::En, Language::Both];
const COPIES: [CopyOf; 3] = [CopyOf::Merchant, CopyOf::Bank, CopyOf::Cardholder];

/// Every kind of slip on every paper in every language.
fn every_slip(fields: &SlipFields) -> Vec<Slip> {
    let mut slips = Vec::new();
    for (paper, language) in PAPERS.into_iter().flat_map(|p| LANGUAGES.map(|l| (p, l))) {
        let reprint = || {
            Some(Reprint {
                count: u32::MAX,
                original_time: fields.date_time.clone(),
            })
        };
        for copy in COPIES {
            slips.push(lay_out(fields, copy, language, paper, None));
            slips.push(lay_out(fields, copy, language, paper, reprint()));
        }
        slips.push(lay_out_settlement(
            &settlement(),
            language,
            paper,
            reprint(),
        ));
        slips.push(lay_out_shift(&shift(), language, paper, None));
    }
    slips
}

fn columns(line: &str) -> usize {
    line.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum()
}

/// What the commands of a job leave on paper: its lines of text and its strips of dots. Knows every
/// command that a job may hold and refuses any other.
struct Read {
    text: String,
    dots: Vec<u8>,
    row_bytes: usize,
    codes: Vec<(u8, String)>,
}

fn read(job: &[u8], columns_max: usize) -> Read {
    let mut read = Read {
        text: String::new(),
        dots: Vec::new(),
        row_bytes: 0,
        codes: Vec::new(),
    };
    let (mut align, mut line, mut module) = (0, Vec::new(), 0);
    let mut rest = job;
    while let Some((&first, after)) = rest.split_first() {
        rest = match (first, after) {
            (0x0A, after) => {
                let (text, _, wrong) = GB18030.decode(&line);
                assert!(!wrong, "{line:02X?}");
                let free = columns_max
                    .checked_sub(columns(&text))
                    .expect("a line that fits");
                let left = [0, free / 2, free][usize::from(align)];
                read.text
                    .push_str(format!("{}{text}", " ".repeat(left)).trim_end());
                read.text.push('\n');
                line.clear();
                after
            }
            (0x1B, [b'@', rest @ ..]) => rest,
            (0x1B, [b'=', 1, rest @ ..]) => rest,
            (0x1B, [b'c', b'4', 0, rest @ ..]) => rest,
            (0x1B, [b'E', 0 | 1, rest @ ..]) => rest,
            (0x1B, [b'J', _, rest @ ..]) => rest,
            (0x1B, [b'a', n @ 0..=2, rest @ ..]) => {
                align = *n;
                rest
            }
            (0x1B, [b'd', n, rest @ ..]) => {
                read.text.push_str(&"\n".repeat(usize::from(*n)));
                rest
            }
            (0x1C, [b'&', rest @ ..]) => rest,
            (0x1C, [b'!', 0 | 0x0C, rest @ ..]) => rest,
            (0x1D, [b'!', 0 | 0x11, rest @ ..]) => rest,
            (0x1D, [b'a', 0xFF, rest @ ..]) => rest,
            (0x1D, [b'V', 0x42, 0, rest @ ..]) => {
                read.text
                    .truncate(read.text.trim_end_matches('\n').len() + 1);
                rest
            }
            (0x1D, [b'r', 1, rest @ ..]) => rest,
            (0x1D, [b'(', b'H', 6, 0, 0x30, 0x30, rest @ ..]) => &rest[4..],
            (0x1D, [b'(', b'k', low, high, data @ ..]) => {
                let length = usize::from(*low) + 256 * usize::from(*high);
                let (data, rest) = data.split_at(length);
                match data {
                    [0x31, 0x41, 0x32, 0] | [0x31, 0x45, 0x31] => {}
                    [0x31, 0x43, size] => module = *size,
                    [0x31, 0x50, 0x30, payload @ ..] => {
                        let payload = String::from_utf8(payload.to_vec()).expect("ASCII");
                        read.codes.push((module, payload));
                    }
                    [0x31, 0x51, 0x30] => {}
                    other => panic!("{other:02X?}"),
                }
                rest
            }
            (0x1D, [b'v', b'0', 0, x_low, x_high, y_low, y_high, data @ ..]) => {
                read.row_bytes = usize::from(*x_low) + 256 * usize::from(*x_high);
                let rows = usize::from(*y_low) + 256 * usize::from(*y_high);
                assert!((1..=128).contains(&rows));
                let (strip, rest) = data.split_at(rows * read.row_bytes);
                read.dots.extend(strip);
                rest
            }
            (0x20..=0x7E, after) => {
                line.push(first);
                after
            }
            (0x81..=0xFE, [trail @ (0x40..=0x7E | 0x80..=0xFE), rest @ ..]) => {
                line.extend([first, *trail]);
                rest
            }
            other => panic!("{other:02X?}"),
        };
    }
    assert!(line.is_empty());
    read
}

fn check_no_realtime(job: &[u8]) {
    for (place, pair) in job.windows(2).enumerate() {
        assert!(!matches!(pair, [0x10, 4 | 5 | 0x14]), "at {place}");
    }
}

#[test]
fn native_lines_decode_to_the_text() {
    for slip in every_slip(&purchase()) {
        let job = slip.escpos(7).expect("all of it has two-byte codes");
        check_no_realtime(&job);
        assert_eq!(read(&job, slip.paper().columns()).text, slip.text());
        assert_eq!(job, slip.escpos_substituted(7));
    }
}

#[test]
fn the_raster_print_is_the_picture() {
    for slip in every_slip(&chip()) {
        let picture = slip.bitmap().expect("all of it has glyphs");
        assert_eq!(picture.width(), slip.paper().dots());
        let job = slip.escpos_raster(7).expect("all of it has glyphs");
        check_no_realtime(&job);
        let read = read(&job, 0);
        assert_eq!(read.row_bytes, picture.row_bytes());
        assert!(read.dots == picture.bytes());
    }
}

#[test]
fn profiles_choose_the_means() {
    let slip = |name: &str| {
        let fields = SlipFields {
            merchant_name: name.into(),
            ..chip()
        };
        lay_out(&fields, CopyOf::Cardholder, Language::Zh, Paper::Mm58, None)
    };
    let profile = |chinese, qr| InstalledPrinter {
        chinese,
        qr,
        ..InstalledPrinter::default()
    };
    let native = profile(Means::Native, Means::Native);
    let plain = slip("星河咖啡店");
    assert_eq!(plain.escpos_for(&native, 7), plain.escpos(7).unwrap());

    let own_codes = profile(Means::Native, Means::Raster);
    let drawn = read(&plain.escpos_for(&own_codes, 7), 32);
    assert!(drawn.codes.is_empty() && !drawn.dots.is_empty() && drawn.text.contains("星河咖啡店"));

    let no_chinese = profile(Means::Raster, Means::Native);
    let raster = plain.escpos_raster(7).unwrap();
    assert_eq!(plain.escpos_for(&no_chinese, 7), raster);

    let rare = slip("𠮷野家㐂");
    let (character, line) = ('𠮷', 3);
    assert_eq!(rare.escpos(7), Err(Unmappable { character, line }));
    assert_eq!(rare.escpos_for(&native, 7), rare.escpos_raster(7).unwrap());

    let unknown = slip("咖啡😀店");
    let character = '😀';
    assert_eq!(unknown.bitmap(), Err(NoGlyph { character, line }));
    assert_eq!(unknown.png(), Err(NoGlyph { character, line }));
    assert_eq!(
        unknown.substituted().text(),
        unknown.text().replace('😀', "？")
    );
    assert_eq!(
        unknown.escpos_for(&native, 7),
        unknown.substituted().escpos_raster(7).unwrap()
    );

    let english = Slip::new(
        Paper::Mm58,
        Language::En,
        vec![Row::Text {
            words: Wording::One("PLAIN".into()),
            align: Align::Left,
            size: Size::Normal,
            bold: true,
        }],
    );
    assert_eq!(
        english.escpos_for(&no_chinese, 7),
        english.escpos(7).unwrap()
    );
}

#[test]
fn codes_can_be_read() {
    let link = chip().link.unwrap();
    for paper in PAPERS {
        let slip = lay_out(&chip(), CopyOf::Cardholder, Language::Both, paper, None);
        assert_eq!(scan(&slip.bitmap().unwrap()), [link.as_str()]);
        let job = slip.escpos(7).unwrap();
        assert_eq!(read(&job, paper.columns()).codes, [(6, link.clone())]);
        let printed = read(&job, paper.columns()).text.replace([' ', '\n'], "");
        let text = slip.text().replace([' ', '\n'], "");
        assert_eq!(printed, text.replace(&link, ""));
    }
    let long = format!("https://r.example/{}", "a1B2".repeat(60));
    let fields = SlipFields {
        link: Some(long.clone()),
        ..purchase()
    };
    let slip = lay_out(&fields, CopyOf::Cardholder, Language::Zh, Paper::Mm58, None);
    assert_eq!(scan(&slip.bitmap().unwrap()), [long]);
    for unfit in ["", "https://r.example/签", "two words"] {
        let fields = SlipFields {
            link: Some(unfit.into()),
            ..purchase()
        };
        let slip = lay_out(&fields, CopyOf::Cardholder, Language::Zh, Paper::Mm58, None);
        assert!(scan(&slip.bitmap().unwrap()).is_empty());
        assert!(slip.text().contains(unfit));
    }
}

/// What a scanner reads in the PNG of a picture.
fn scan(picture: &Bitmap) -> Vec<String> {
    let (width, height, dots) = decode(&picture.png());
    let grey = |x: usize, y: usize| if dots[y * width + x] { 0 } else { 255 };
    let mut image = rqrr::PreparedImage::prepare_from_greyscale(width, height, grey);
    let grids = image.detect_grids();
    let read = grids.iter().map(|grid| grid.decode().expect("a code").1);
    read.collect()
}

/// Width, height and black dots of a PNG file.
fn decode(file: &[u8]) -> (usize, usize, Vec<bool>) {
    let mut decoder = png::Decoder::new(std::io::Cursor::new(file));
    decoder.set_transformations(png::Transformations::EXPAND);
    let mut reader = decoder.read_info().unwrap();
    let mut bytes = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut bytes).unwrap();
    assert_eq!(bytes.len(), (info.width * info.height) as usize);
    let dots = bytes.iter().map(|grey| *grey == 0).collect();
    (info.width as usize, info.height as usize, dots)
}

#[test]
fn the_svg_is_the_png_dot_for_dot() {
    for (language, paper) in [
        (Language::Zh, Paper::Mm58),
        (Language::Both, Paper::Mm80),
        (Language::En, Paper::Mm80At180Dpi),
    ] {
        let slip = lay_out(&chip(), CopyOf::Merchant, language, paper, None);
        let (width, height, dots) = decode(&slip.png().unwrap());
        let svg = slip.svg().unwrap();
        let tree = usvg::Tree::from_str(&svg, &usvg::Options::default()).unwrap();
        let (w, h) = (
            u32::try_from(width).unwrap(),
            u32::try_from(height).unwrap(),
        );
        assert_eq!(tree.size().to_int_size().dimensions(), (w, h));
        let mut pixels = tiny_skia::Pixmap::new(w, h).unwrap();
        let whole = tiny_skia::Transform::identity();
        resvg::render(&tree, whole, &mut pixels.as_mut());
        for (pixel, black) in pixels.pixels().iter().zip(dots) {
            let value = if black { 0 } else { 255 };
            assert_eq!(
                (pixel.red(), pixel.green(), pixel.alpha()),
                (value, value, 255)
            );
        }
        assert!(svg.contains("role=\"img\"") && svg.contains(&slip.text()));
    }
}

#[test]
fn html_says_what_it_is() {
    let fields = SlipFields {
        merchant_name: "<b>星河 & 咖啡</b>\u{1B}".into(),
        ..chip()
    };
    let slip = lay_out(&fields, CopyOf::Merchant, Language::Both, Paper::Mm58, None);
    let html = slip.html();
    let (before, picture) = html.split_once("<svg").expect("a code");
    let (_, after) = picture.split_once("</svg>").expect("a whole code");
    expect![[r#"
        <article class="slip" lang="zh-CN">
        <h2><span>POS签购单</span> <span lang="en">POS SALES SLIP</span></h2>
        <p class="centre"><span>商户存根</span> <span lang="en">MERCHANT COPY</span></p>
        <hr>
        <dl>
        <dt><span>商户名称</span> <span lang="en">MERCHANT NAME</span></dt><dd>&lt;b&gt;星河 &amp; 咖啡&lt;/b&gt; </dd>
        <dt><span>商户编号</span> <span lang="en">MERCHANT NO</span></dt><dd>898310054110001</dd>
        <dt><span>终端编号</span> <span lang="en">TERMINAL NO</span></dt><dd>10000001</dd>
        <dt><span>操作员号</span> <span lang="en">OPERATOR NO</span></dt><dd>01</dd>
        </dl>
        <hr>
        <dl>
        <dt><span>发卡行</span> <span lang="en">ISSUER</span></dt><dd>江城银行</dd>
        <dt><span>收单行</span> <span lang="en">ACQ</span></dt><dd>48020000</dd>
        <dt><span>卡号</span> <span lang="en">CARD NO</span></dt><dd>622848*********1234 I</dd>
        <dt><span>交易类型</span> <span lang="en">TXN TYPE</span></dt><dd><span>消费</span> <span lang="en">SALE</span></dd>
        <dt><span>批次号</span> <span lang="en">BATCH NO</span></dt><dd>000001</dd>
        <dt><span>凭证号</span> <span lang="en">VOUCHER NO</span></dt><dd>000123</dd>
        <dt><span>授权码</span> <span lang="en">AUTH NO</span></dt><dd>A12345</dd>
        <dt><span>交易参考号</span> <span lang="en">REF. NO</span></dt><dd>632614000123</dd>
        <dt><span>日期/时间</span> <span lang="en">DATE/TIME</span></dt><dd>2026-11-22 14:03:22</dd>
        </dl>
        <hr>
        <dl>
        <dt><span>金额</span> <span lang="en">AMOUNT</span></dt><dd class="large">RMB:￥128.00</dd>
        </dl>
        <p class="centre large"><span>交易成功</span> <span lang="en">Approved</span></p>
        <hr>
        <p><span>备注</span> <span lang="en">REFERENCE</span></p>
        <dl class="details">
        <div><dt lang="en">APP</dt><dd>PBOC DEBIT</dd></div>
        <div><dt lang="en">AID</dt><dd>A000000333010101</dd></div>
        <div><dt lang="en">ARQC</dt><dd>1A2B3C4D5E6F7081</dd></div>
        <div><dt lang="en">TVR</dt><dd>0000008000</dd></div>
        <div><dt lang="en">TSI</dt><dd>E800</dd></div>
        <div><dt lang="en">ATC</dt><dd>0012</dd></div>
        <div><dt lang="en">CSN</dt><dd>01</dd></div>
        <div><dt lang="en">CVM</dt><dd>1E0300</dd></div>
        </dl>
        <hr>
        <p><span>交易金额未超1000元，免密免签</span> <span lang="en">UP TO RMB 1000: NO PIN, NO SIGNATURE REQUIRED</span></p>
        <hr>
        <figure>…
        <figcaption><span>扫码查看电子小票</span> <span lang="en">SCAN FOR THE E-SLIP</span> <a href="HTTPS://R.EXAMPLE/7ZKQ4M2N8XJ0C5TB">HTTPS://R.EXAMPLE/7ZKQ4M2N8XJ0C5TB</a></figcaption></figure>
        <hr>
        </article>
    "#]].assert_eq(&format!("{before}…{after}"));
    let table = lay_out_shift(&shift(), Language::Zh, Paper::Mm58, None).html();
    expect![[r#"
        <article class="slip" lang="zh-CN">
        <h2>交接班单</h2>
        <hr>
        <dl>
        <dt>商户名称</dt><dd>星河咖啡店（人民路旗舰店）</dd>
        <dt>终端编号</dt><dd>10000001</dd>
        <dt>收银员</dt><dd>01 王芳</dd>
        <dt>开始时间</dt><dd>2026-11-22 08:00:00</dd>
        <dt>结束时间</dt><dd>2026-11-22 16:00:00</dd>
        </dl>
        <hr>
        <table>
        <thead><tr><th scope="col">类型</th><th scope="col">笔数</th><th scope="col">金额</th></tr></thead>
        <tbody>
        <tr><th scope="row">消费</th><td>42</td><td>￥12345.60</td></tr>
        <tr><th scope="row">预授权完成</th><td>3</td><td>￥3000.00</td></tr>
        <tr><th scope="row">退货</th><td>1</td><td>￥128.00</td></tr>
        <tr><th scope="row">借记合计</th><td>45</td><td>￥15345.60</td></tr>
        <tr><th scope="row">贷记合计</th><td>1</td><td>￥128.00</td></tr>
        </tbody>
        </table>
        <hr>
        <p><strong>待处理 2 笔</strong></p>
        <table>
        <thead><tr><th scope="col">凭证号</th><th scope="col">金额</th></tr></thead>
        <tbody>
        <tr><th scope="row">000124</th><td>￥38.00</td></tr>
        <tr><th scope="row">2026-11-22 15:40:02</th><td>冲正未送达</td></tr>
        <tr><th scope="row">000131</th><td>￥128.00</td></tr>
        <tr><th scope="row">2026-11-22 15:58:41</th><td>结果待确认</td></tr>
        </tbody>
        </table>
        <hr>
        <p>交班人签字</p>
        <hr class="signature">
        <p>接班人签字</p>
        <hr class="signature">
        </article>
    "#]].assert_eq(&table);
}

/// Every start has its end, in order.
fn check_tags(html: &str) {
    let mut open: Vec<&str> = Vec::new();
    for part in html.split('<').skip(1) {
        let tag = part.split('>').next().expect("an end of a tag");
        let name = tag.split(' ').next().expect("a name");
        match name.strip_prefix('/') {
            Some(name) => assert_eq!(open.pop(), Some(name), "{html}"),
            None if name == "hr" || tag.ends_with('/') => {}
            None => open.push(name),
        }
    }
    assert!(open.is_empty(), "{open:?}");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    #[test]
    fn any_words_fit_and_none_is_a_command(
        name in ".{0,90}",
        chinese in "[一-龥A-z0-9，。（）￥¥ \u{1B}\u{10}\u{4}]{0,90}",
        amount: u64,
        link in proptest::option::of("[!$-~]{0,310}"),
    ) {
        let fields = SlipFields {
            merchant_name: chinese.clone(),
            headline: (chinese.clone(), name.clone()),
            operator: name.clone(),
            amount_minor: amount,
            remarks: vec![(name.clone(), chinese)],
            link,
            ..chip()
        };
        for slip in every_slip(&fields) {
            let columns_max = slip.paper().columns();
            let text = slip.text();
            for line in text.lines() {
                prop_assert!(columns(line) <= columns_max, "{}", line);
                prop_assert!(!line.chars().any(char::is_control), "{}", line);
            }
            let job = slip.escpos_substituted(1);
            check_no_realtime(&job);
            read(&job, columns_max);
            prop_assert!(!job.windows(2).any(|pair| pair == b"&#") || text.contains("&#"));
            check_tags(&slip.html());
        }
        let slip = lay_out(&fields, CopyOf::Bank, Language::Both, Paper::Mm58, None);
        let plain = format!("{}.{:02}", amount / 100, amount % 100);
        prop_assert!(slip.text().contains(&plain));
        for (chinese, qr) in [(Means::Native, Means::Raster), (Means::Raster, Means::Native)] {
            let profile = InstalledPrinter { chinese, qr, ..InstalledPrinter::default() };
            let job = slip.escpos_for(&profile, 1);
            check_no_realtime(&job);
            read(&job, 32);
        }
    }

    #[test]
    fn no_dots_are_a_command(bytes in prop::collection::vec(prop::sample::select(vec![0_u8, 4, 5, 0x10, 0x14, 0x18, 0xFF]), 48 * 300)) {
        let mut picture = Bitmap::new(384, 300);
        for (place, byte) in bytes.iter().enumerate() {
            for bit in (0..8).filter(|bit| byte & (0x80 >> bit) != 0) {
                let x = u32::try_from(place % 48 * 8).unwrap() + bit;
                picture.set(x, u32::try_from(place / 48).unwrap(), true);
            }
        }
        let words = Wording::One("MARK".into());
        let row = Row::Image { picture: picture.clone(), words };
        let slip = Slip::new(Paper::Mm58, Language::En, vec![row]);
        for job in [slip.escpos(1).unwrap(), slip.escpos_raster(1).unwrap()] {
            check_no_realtime(&job);
        }
        let drawn = slip.bitmap().unwrap();
        let same = (0..300).flat_map(|y| (0..384).map(move |x| (x, y)));
        let changed = same.filter(|&(x, y)| picture.get(x, y) != drawn.get(x, y + 24)).count();
        let commands = bytes.windows(2).filter(|pair| matches!(pair, [0x10, 4 | 5 | 0x14])).count();
        prop_assert_eq!(changed, commands);
    }
}
