//! Keys that everybody has: published test values, and patterns that a hurried hand types.
//!
//! Invariant: a value is compared by its digest with parity bits set odd, so the list holds no key and a key cannot hide in its parity.

use crate::{block_cipher::set_odd_parity, certificate::sha256, hex};
use zeroize::Zeroizing;

/// What is said of a key made of a pattern.
const PATTERN: &str = "a repeated or counting pattern";
/// Longest repeated group of bytes that counts as a pattern.
const PERIOD_MAX: usize = 4;

/// Where a local master key was published, if it was, or that it is a pattern: refused in production.
pub fn published_local_master_key(key: &[u8; 32]) -> Option<&'static str> {
    published(key)
}

/// Where a key's value was published, if it was, or that it is a pattern.
pub(crate) fn published(key: &[u8]) -> Option<&'static str> {
    let mut odd = Zeroizing::new(key.to_vec());
    set_odd_parity(&mut odd);
    let digest = hex::text(&sha256(&odd));
    let row = PUBLISHED.iter().find(|(_, known)| *known == digest);
    row.map(|(source, _)| *source)
        .or_else(|| (is_pattern(key) || is_pattern(&odd)).then_some(PATTERN))
}

fn is_pattern(key: &[u8]) -> bool {
    let repeats = |period: usize| key.iter().zip(&key[period..]).all(|(a, b)| a == b);
    (1..=PERIOD_MAX).any(|period| key.len() > period && repeats(period))
        || counts(key.iter().copied(), 0xFF)
        || key
            .chunks(8)
            .all(|part| counts(part.iter().flat_map(|byte| [byte >> 4, byte & 15]), 0xF))
}

/// Whether each value differs from the one before by the same step.
fn counts(values: impl Iterator<Item = u8> + Clone, mask: u8) -> bool {
    let mut steps = values
        .clone()
        .zip(values.skip(1))
        .map(|(before, after)| after.wrapping_sub(before) & mask);
    let first = steps.next();
    steps.all(|step| Some(step) == first)
}

/// Source, and SHA-256 of the value with odd parity.
const PUBLISHED: &[(&str, &str)] = &[
    (
        "certificate_key of the sandbox's examples",
        "BD6084929957662AB5F3E906C5FFC086BADDD4C5E829341CB2B0C745D270AA7B",
    ),
    (
        "kek of the sandbox's examples",
        "021DCFDFEBE17A342285CD55E9708B6AD2C74E9375FCD304EA3F7D31E4297CA0",
    ),
    (
        "kek of the sandbox's examples",
        "EC493B74752D5FA39EAEAD1B04A782701F0D123CD6E102C8CAF9104A0B5546D4",
    ),
    (
        "local_master_key of the sandbox's examples",
        "C167B33B6C5277CA6F3D5C09889D5D9EDC382509FED08C50976BF9D1812D51AE",
    ),
    (
        "local_master_key of the sandbox's examples",
        "4BD07E170A787E9586A5BF2A05E286AA369062FD61F92730564457783E0766A3",
    ),
    (
        "local_master_key of the sandbox's examples",
        "294BC23531A7680F6FFE25F8D0D0F74A15CFDB5AC9B2D2863993563EAE1090EF",
    ),
    (
        "local_master_key of the sandbox's examples",
        "97E795B41CB0CB267A86546FC8ACDB83B3E41FA9C07840C65D5AE4550B9F250A",
    ),
    (
        "pvk of the sandbox's examples",
        "79E715242DB85AACE22EB911BC6BA6BBB9EB94F43D5A0DCCB072F91E8D330A9A",
    ),
    (
        "reference vector aes128-fips197",
        "D2633D7043084A0EB07342FFAD4DFA05F52FD428EAB6BFA57B95E3ED72852505",
    ),
    (
        "reference vector aes256-gcm-16",
        "B65177896BD9E2A592C84263768BA7E7AFC81666473C668FBF03D29AC9612CEA",
    ),
    (
        "reference vector aesdukpt-cmac-req-1",
        "A0944DC40432932C3A9ACA1C64995052A3D80F67DAEDAAAE18B002C0E4D16C5D",
    ),
    (
        "reference vector aesdukpt-cmac-rsp-1",
        "9CF8A449A2714788ACD5092D54E47342FC32304B236B79F3B2B63DE72047A46B",
    ),
    (
        "reference vector aesdukpt-deriv-1",
        "359D46BBA2AE792342A8F0FCA64499012BFC14CFF0AEC00E4BFC6DDDBEF961AC",
    ),
    (
        "reference vector aesdukpt-deriv-1FFFE",
        "F3366A61549EAB7FC082C0324F2A99622867618D73362F036D371AF3DC498F62",
    ),
    (
        "reference vector aesdukpt-deriv-2",
        "188DB31791E6700228A820C6802620E5222A2DB2C887737848D6378ECBC6E670",
    ),
    (
        "reference vector aesdukpt-deriv-20000",
        "D707AE2506A140B2E5F58D118F4F595990CC37C91648F3DBDDC2E583E74A9ACC",
    ),
    (
        "reference vector aesdukpt-deriv-256-1",
        "B8B0777D9B564AA999E8E56BC6CCDF2A7A723D9557085FFF0E2C12B05445E571",
    ),
    (
        "reference vector aesdukpt-enc-req-1",
        "4B4A90EC36F925954FA3C8C769A78C66D8E487B84D3D87237575EADEA39B48E9",
    ),
    (
        "reference vector aesdukpt-enckey-1",
        "FA36D9326A2C0163816B541B816E853B0D5E0091916A51484CD002D20E82653B",
    ),
    (
        "reference vector aesdukpt-ik-128",
        "9E6EF332AFE107DB32637EA04CA3F53CC03711BC8B5277CD272189CF58696CF8",
    ),
    (
        "reference vector aesdukpt-ik-128",
        "4AFB5EC07E4633128E0A5AD49DA681A1A9ACF23B7B375D6ACAB3DE46463477E2",
    ),
    (
        "reference vector aesdukpt-ik-256",
        "870E0491E8C7DAA2104FECCE5098EA169A4F6EB8D59873F0549FEC45F6E2688C",
    ),
    (
        "reference vector aesdukpt-ik-256",
        "B3B3B6F763014E3BBA397FABDAF71BC2304055DFBAFC72EB3FEF98D957017D31",
    ),
    (
        "reference vector aesdukpt-mackey-1",
        "2A25C60F582826717663B23DD256C083067B9D73BCC2BD5C1640665FCFD15062",
    ),
    (
        "reference vector aesdukpt-pinkey-256-1",
        "E41DACB4F5FDE014172394EA6C17E0C1A44A611847838E4410595A276F09B19A",
    ),
    (
        "reference vector aesdukpt-pinkey-256-to-128",
        "90099886C90361BDBECD27A59391CFDEE16B62F4A5A225A68D67314C99392EEA",
    ),
    (
        "reference vector arpc1-pyemv-hsm",
        "9FE7C78273EAEF5F45C6E9293016F022D69E59CD47DC5604CC77E13DDEDAF972",
    ),
    (
        "reference vector arqc-cskd-pad2",
        "245C0B43FDC6FAAA93A0B11E445D665DED7015E7A89E27902E1E9D6B3FADD3F5",
    ),
    (
        "reference vector arqc-cvn10-udk",
        "BE4B01C9A86180796552E17256CE015774479962125803730578F450E43940D5",
    ),
    (
        "reference vector arqc-pyemv-hsm",
        "FAABA9703B3D53D0FE747B499C52CDDE5EE37ED68B2BC0BCD80C880CF91019E6",
    ),
    (
        "reference vector cmac-aes256-40",
        "E980C3EF2576449444AE6D1F58FCC8B63D10BF10345A080CBA1F22A457F2EE95",
    ),
    (
        "reference vector cmac-rfc4493-0",
        "FEB608C1C162598E1D7E96729ED26CEA801A68DFAAB528F1B19E8787B75C0449",
    ),
    (
        "reference vector cvv-jpos-1",
        "204BF17848E78867776CC9655CB29F22BF2BB4B6DD04E11129590A947AFADF52",
    ),
    (
        "reference vector cvv-jpos-2",
        "CAD063CE14A85249172BB438DBB0EBB80581AA5300BCB4A3D1C255B34E7F1F07",
    ),
    (
        "reference vector des-cbc-fips81",
        "55C53F5D490297900CEFA825D0C8E8E9532EE8A118ABE7D8570762CD38BE9818",
    ),
    (
        "reference vector des-single-classic",
        "08F5D0D3EF9A205D079DF025C0242D31CDAE091DFFB79ECF3D0529B9DDDF8DF6",
    ),
    (
        "reference vector dukpt-encreq-E00001",
        "13D8397C21DEAE0E127B39307AE79F4982702D3D851D59B78B5E8E88C7A36529",
    ),
    (
        "reference vector dukpt-encrsp-E00001",
        "A3C0854F639824D4600B49593976D77F3AC09487A4AAB46900997238A9A4B691",
    ),
    (
        "reference vector dukpt-ik",
        "4228E8A5E41D937EE0E885A59F0797200BE29172D26A6AD40D16748A9753DE6D",
    ),
    (
        "reference vector dukpt-txn-E00001",
        "E1BA33AEC5C3215C83DF9459D0F6BD2E3B0AC313525512006B379E33114AD7ED",
    ),
    (
        "reference vector dukpt-txn-E00002",
        "2DDBB16E5BB3E29172DFB2D48EDFBDBB5D82B73CA0F35BE0E4915D51C8EF193D",
    ),
    (
        "reference vector dukpt-txn-E00003",
        "E7C9295A133F421C8ABF136704BE037119C172580FCA61154CEC794C9B77DBA5",
    ),
    (
        "reference vector dukpt-txn-EFF800",
        "F21A19CA0BC76F45B7144A2B4277E78E5D9325E98333308D4DB7ACADA20D5A8B",
    ),
    (
        "reference vector dukpt-txn-F00000",
        "5AA8D47C1D328C105CD535DBB4B2A6161A7E3A65D73D663889B5C1EED9238D6D",
    ),
    (
        "reference vector emv-common-sk",
        "F33252B914E22E6CBF79C0AD62298EA98D79A3CA6E7680E44EAC241DB5437237",
    ),
    (
        "reference vector emv-udk-a-1",
        "27BF9ED9CF44E266D2644CC102D7716E56ED7278C10FA28C4F6ADC15D3476D31",
    ),
    (
        "reference vector emv-udk-a-19digit-unionpay",
        "1C7234A13FA247EE7A624ADB3EF8B4B049A5ED6B95FAC99EBAEEB6D21BE7DC69",
    ),
    (
        "reference vector emv-udk-b-17",
        "88D5144D54536F01E53924AEAAE929E5290366A9025EE58160F6EE446F0A5FCC",
    ),
    (
        "reference vector kcv-aes128-cmac",
        "7870D893F76D5D2729157EAC7F2F562F0123DA51025F068DEA700DA1515F1E10",
    ),
    (
        "reference vector parity-adjust",
        "1AE3A5E358BEB962DA10A886CA41FA82519801D81B4987A13DDB599A31B19F6C",
    ),
    (
        "reference vector pb0-decode-ok",
        "A2014E94CBFC03B199C86343D138AD0C1EFD8592BD2B10F4D32FDC657B1D9E4A",
    ),
    (
        "reference vector pboc-arqc-arpc-16digit",
        "ADFBA9C1871F315D95FFE7DCC1FE7A6F4576CDF3FB3D9C4C425176D87C419A41",
    ),
    (
        "reference vector pboc-arqc-arpc-16digit",
        "65E96BCDC0A32F5F85BDFDDFFC26D0969B0A85A178461465C4EAA9806DA87728",
    ),
    (
        "reference vector pboc-sk",
        "5515367DE7EF1763B1CE67016B26A085D890F9A75082502285F24A989CEE4F0B",
    ),
    (
        "reference vector pboc-sk",
        "9483EF83A8CF2C74CD9DC24309C9B81D1BE8E9A8DB49F2C2DF7400014991A605",
    ),
    (
        "reference vector tdes2-cmac-8",
        "59E3A9DE3BEBA91B31797C7B2B2920CF2D42FC47C758A981CBEC868F9EFA135A",
    ),
    (
        "reference vector tdes3-cmac-20",
        "27B78C909113E059C58F9C880CEF0BAC905EF2A337E700CB98107BD0A73C2EE9",
    ),
    (
        "reference vector tdes3-ecb-sp800-67",
        "D2C86E633E589690AC08230C5495A0395F97E7CA8A52F24AE92A4D89F625CF67",
    ),
    (
        "reference vector tr31-B-A.7.3.2-KS",
        "65B4B2A2F47FF8E252E6B524A973223507A4FCBD5189419010768E3B34CAA8FD",
    ),
    (
        "reference vector tr31-B-A.7.3.2-KS",
        "5F2D1B635649E762E0A47282978570E276A98ECD1399B6FCE3923D4129AC1A81",
    ),
    (
        "reference vector tr31-B-payshield",
        "FC3F1918BB7F880CC3C5B100A145F7114DE94E07CD2F969937C47CFD64978C54",
    ),
    (
        "reference vector tr31-B-payshield",
        "97841E2D9B9AB623093A4BCD7552B750A3816C63882C3936A85AF91FC286F58A",
    ),
    (
        "reference vector tr31-D-payshield",
        "92B7EB5290D8D6E3AC79215CB4BDB07FE89629EE720BE4332B3DAA842B7EC80A",
    ),
    (
        "reference vector tr31-D-payshield",
        "F1BE39CB620A3DF6C3235A81DE6CB6C37658B9DA33C676DF0E0859A1DE129753",
    ),
    (
        "reference vector unionpay-mac-single-length",
        "339E17D2F03C2BF3B18186B66401422E7265F6D9D527800F554609B712FD9E38",
    ),
    (
        "reference vector unionpay-mac-worked-example",
        "E159545C61A096C9DFF0018D0D2D7A67675B64CBD49492509A4F029B8BEF7523",
    ),
    (
        "the tests of this project",
        "E0253A4F52AE4D975B33DA0398E2490B991B51EB89D3C4C8F8289BB09AFE99C9",
    ),
    (
        "the tests of this project",
        "C2F0614AF0499066BE17703C2C2EC9436B4ACF5C4212F9190CB815BD5469F498",
    ),
    (
        "the tests of this project",
        "5999DAFF9AFF89BCB49FA3AB93BFBD9C6698A3E3B52A00A9701C2228628C0DAF",
    ),
    (
        "the tests of this project",
        "6484C73DDF7F954EECF28C53029B0D1821F3211EF44715E4A1139AFDCA972ADD",
    ),
    (
        "the tests of this project",
        "980F93B47ECBEED9E2B6EB64E8E9B50117755C5099DA0D791CD71A185EBE2376",
    ),
    (
        "the tests of this project",
        "13FCD01BE6D2E54664CD39DF56A3E943D24490AC2AB178FB4DC1DAA58C4D4100",
    ),
    (
        "the tests of this project",
        "08024944A584F4C3A3B7C2768B9C2FCA62946420E18109910F4312651B394A7F",
    ),
    (
        "the tests of this project",
        "B3447265C8C30F1688ABA15613381AFA63FD77695743790FEB4EEE58FDB76CF1",
    ),
    (
        "the tests of this project",
        "6E3000710935DFB87B6D21001539BE33F140BF7EAE450B139BADBFE8DDF57C63",
    ),
    (
        "the tests of this project",
        "005DA3A21E121CDAAB4CF0E71FCC7B8D6BEAFB017C46FE2E35C4B9D0AFE7A4FC",
    ),
    (
        "the tests of this project",
        "80BD79D29B271AFD8302A8C5C555AED135E01B0E77BCA6598DF2D1CBF269F9BD",
    ),
    (
        "the tests of this project",
        "8057C152605287B418BBF3D54B02DEAF0A0F3D01AA0FB5A6A2E5FC13E2AED1B7",
    ),
    (
        "the tests of this project",
        "3CECFFF1FEDE50B038D353A8CE609B5128D30C4A9684BF332D9F07CE351FBEB5",
    ),
    (
        "the tests of this project",
        "6425BD3A79F67B369FBBA17940B19631C0E53B0E70E65250A6F66151B906872F",
    ),
    (
        "the tests of this project",
        "0B35216FE7E22638747C2E3586C1542098C6B99FBB8E124045E534F46C375F35",
    ),
    (
        "the tests of this project",
        "3BC8CB6DF700E71C080CCC38214F692D9AC8AA4B86AF18C27C3DB04BC9BB5BD3",
    ),
    (
        "the tests of this project",
        "E3872211D0F21835649383B475CE4BF3653C2E7DDB694AA589E267A3CD9D133A",
    ),
    (
        "the tests of this project",
        "C883C0B42899CFBADE04615D8510DB665D26DD675E0B6E489F4D3351D2C59DB0",
    ),
    (
        "the tests of this project",
        "F92A1D25BD4FED4D29ACB428BEABFAA4C33935854A7B12C3CCF4B9C8B900E415",
    ),
    (
        "the tests of this project",
        "36856A94D7DD33D91CE8D35856C2E85FF12BC78C71075A6B6D73F2FA5F0CB602",
    ),
    (
        "the tests of this project",
        "0AD47D27A9602A9E44FF2B78373946D528728DD6C832407CBF4F782A29B52CC6",
    ),
    (
        "the tests of this project",
        "93442273C13A95AC5CABC2959A22926049C76B2BD49133A16DB4DAA951B3C322",
    ),
    (
        "the tests of this project",
        "141CC60D52DAC8AAACB1D56F77667C0631C408063EB5C3DCAC09442D96021550",
    ),
    (
        "the tests of this project",
        "336E67D6D3CE9A484924107DBFDD82540C93C2F81A3BB78C198E916BA6C1AB7E",
    ),
    (
        "the tests of this project",
        "913B07C7B232D89C96BC834F42C8C743D5EBD9475D77ABCD521F127A0EB18F82",
    ),
    (
        "the tests of this project",
        "AAB87BA160ADDF160B979F20D6155FC5B8CB278D76F6152BDA63319F8FD805DC",
    ),
    (
        "the well-known test key 0123…3210",
        "411D3F1D2390FF3F482AC8DF4E730780BB081A192F283D2F373138FD101DC8FE",
    ),
];
