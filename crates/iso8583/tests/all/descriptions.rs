//! Descriptions name every sub-field and show no secret.

use expect_test::{Expect, expect};
use iso8583::{Message, Mti, describe};

use crate::samples;

#[track_caller]
fn check(name: &str, expected: Expect) {
    let sample = samples::all()
        .into_iter()
        .find(|sample| sample.name == name)
        .unwrap();
    let mut message = Message::new(Mti(0));
    sample
        .dialect
        .decode_lenient(sample.body(), &mut message)
        .unwrap();
    expected.assert_eq(&describe::render(&describe::describe(
        &message,
        sample.dialect,
    )));
}

#[test]
fn a_purchase_with_card_data() {
    check(
        "9.7",
        expect![[r#"
        MTI      报文类型          Message type                           0200
        2        主账号            Primary account number                 622424******0113
        3        交易处理码        Processing code                        000000
        4        交易金额          Amount, transaction                    000000000001  0.01
        11       受卡方系统跟踪号  System trace audit number              000403
        14       卡有效期          Expiry date                            ****
        22       服务点输入方式码  Point of service entry mode            071  挥卡，有密码 / contactless chip, with PIN
        23       卡序列号          Card sequence number                   000
        25       服务点条件码      Point of service condition code        00
        26       服务点PIN获取码   Point of service PIN capture code      12
        35       第二磁道数据      Track 2 data                           622424******0113******************
        41       受卡机终端标识码  Card acceptor terminal identification  10000019
        42       受卡方标识码      Card acceptor identification           850100082410002
        48       附加数据（私有）  Additional data, private               <1 bytes>
        49       交易货币代码      Currency code, transaction             156
        52       个人标识码数据    PIN data                               <8 bytes>
        53       安全控制信息      Security related control information   2600000000000000
        53.1     密码格式          PIN format                             2  带主账号 / with PAN
        53.2     密码算法          PIN cipher                             6  双倍长 3DES / double-length 3DES
        53.3     磁道加密          Track encryption                       0  不加密 / clear
        55       IC卡数据域        IC card data                           <139 bytes>
        55.9F26  应用密文          Application cryptogram                 95BBE372271DDA7C
        55.9F27  密文信息数据      Cryptogram information data            80
        55.9F10  发卡行应用数据    Issuer application data                07010103A00000010A010000000000ED538FE4
        55.9F37  不可预知数        Unpredictable number                   7F9F349E
        55.9F36  应用交易计数器    Application transaction counter        0157
        55.95    终端验证结果      Terminal verification results          0000000000
        55.9A    交易日期          Transaction date                       190830
        55.9C    交易类型          Transaction type                       00
        55.9F02  授权金额          Amount, authorised                     000000000001
        55.5F2A  交易货币代码      Transaction currency code              0156
        55.82    应用交互特征      Application interchange profile        7C00
        55.9F1A  终端国家代码      Terminal country code                  0156
        55.9F03  其他金额          Amount, other                          000000000000
        55.9F33  终端性能          Terminal capabilities                  E0E1C8
        55.9F35  终端类型          Terminal type                          22
        55.9F1E  接口设备序列号    Interface device serial number         3130303030303139
        55.84    专用文件名称      Dedicated file name                    A000000333010102
        55.9F09  应用版本号        Application version number             008C
        55.9F41  交易序列计数器    Transaction sequence counter           00000403
        59       自定义域59        Reserved 59                            <153 bytes>
        60       自定义域60        Reserved 60                            22000024000600
        60.1     交易类型码        Transaction type                       22
        60.2     批次号            Batch number                           000024
        60.3     网络管理信息码    Network-management code                000
        60.4     终端读取能力      Terminal capability                    6
        60.5     IC卡条件代码      IC-card condition                      0
        60.6     其余              Rest                                   0
        64       报文鉴别码        Message authentication code            8F651B26
    "#]],
    );
}

#[test]
fn an_answer_with_keys() {
    check(
        "9.3",
        expect![[r#"
        MTI   报文类型          Message type                           0810
        11    受卡方系统跟踪号  System trace audit number              003485
        12    受卡方所在地时间  Local time                             063709
        13    受卡方所在地日期  Local date                             0401
        32    受理方标识码      Acquiring institution identification   03200000
        37    检索参考号        Retrieval reference number             121212121212
        39    应答码            Response code                          00
        41    受卡机终端标识码  Card acceptor terminal identification  05610033
        42    受卡方标识码      Card acceptor identification           309191049000004
        60    自定义域60        Reserved 60                            00000186003
        60.1  交易类型码        Transaction type                       00
        60.2  批次号            Batch number                           000186
        60.3  网络管理信息码    Network-management code                003
        62    自定义域62        Reserved 62                            <40 bytes>
        62.1  密码密钥          PIN key                                <16 bytes>
        62.2  鉴别密钥          MAC key                                <16 bytes>
    "#]],
    );
}

#[test]
fn an_answer_with_institutions() {
    check(
        "9.9",
        expect![[r#"
        MTI   报文类型          Message type                           0210
        2     主账号            Primary account number                 622609******8388
        3     交易处理码        Processing code                        000000
        4     交易金额          Amount, transaction                    000000000001  0.01
        11    受卡方系统跟踪号  System trace audit number              001082
        12    受卡方所在地时间  Local time                             153438
        13    受卡方所在地日期  Local date                             1201
        14    卡有效期          Expiry date                            ****
        15    清算日期          Settlement date                        1201
        25    服务点条件码      Point of service condition code        00
        32    受理方标识码      Acquiring institution identification   48523310
        37    检索参考号        Retrieval reference number             290983153438
        39    应答码            Response code                          00
        41    受卡机终端标识码  Card acceptor terminal identification  00000026
        42    受卡方标识码      Card acceptor identification           852331059980072
        44    附加响应数据      Additional response data               03080000   48520000
        44.1  发卡机构          Issuer                                 03080000
        44.2  收单机构          Acquirer                               48520000
        49    交易货币代码      Currency code, transaction             156
        60    自定义域60        Reserved 60                            22000015000501
        60.1  交易类型码        Transaction type                       22
        60.2  批次号            Batch number                           000015
        60.3  网络管理信息码    Network-management code                000
        60.4  终端读取能力      Terminal capability                    5
        60.5  IC卡条件代码      IC-card condition                      0
        60.6  其余              Rest                                   1
        63    自定义域63        Reserved 63                            <3 bytes>
        63.1  卡组织或操作员    Organisation or operator               CUP
        64    报文鉴别码        Message authentication code            B536A23A
    "#]],
    );
}

#[test]
fn an_old_style_message_with_an_original() {
    check(
        "9.13",
        expect![[r#"
            MTI   报文类型          Message type                           0400
            2     主账号            Primary account number                 123456******3456
            3     交易处理码        Processing code                        000000
            4     交易金额          Amount, transaction                    000000000500  5.00
            11    受卡方系统跟踪号  System trace audit number              681186
            12    受卡方所在地时间  Local time                             233521
            13    受卡方所在地日期  Local date                             0529
            22    服务点输入方式码  Point of service entry mode            021  磁条，有密码 / stripe, with PIN
            25    服务点条件码      Point of service condition code        65
            39    应答码            Response code                          98
            41    受卡机终端标识码  Card acceptor terminal identification  axtest3-
            42    受卡方标识码      Card acceptor identification           306581054990003
            49    交易货币代码      Currency code, transaction             156
            60    自定义域60        Reserved 60                            22160529
            61    原始信息域        Original message                       <16 bytes>
            61.1  原批次号          Original batch                         233415
            61.2  原流水号          Original trace number                  681186
            61.3  原交易日期        Original date                          0529
            64    报文鉴别码        Message authentication code            284C79DC9A2E50FC
        "#]],
    );
}

#[test]
fn settlement_totals() {
    check(
        "9.14",
        expect![[r#"
        MTI   报文类型          Message type                           0500
        11    受卡方系统跟踪号  System trace audit number              000645
        41    受卡机终端标识码  Card acceptor terminal identification  12345677
        42    受卡方标识码      Card acceptor identification           123456789012345
        48    附加数据（私有）  Additional data, private               <62 bytes>
        48.1  内卡              Domestic cards                         7 × 7, 0 × 0, 0  借记金额 × 笔数，贷记金额 × 笔数，应答 / debits × count, credits × count, answer
        48.2  外卡              Foreign cards                          0 × 0, 0 × 0, 0  借记金额 × 笔数，贷记金额 × 笔数，应答 / debits × count, credits × count, answer
        49    交易货币代码      Currency code, transaction             156
        60    自定义域60        Reserved 60                            00000003201
        60.1  交易类型码        Transaction type                       00
        60.2  批次号            Batch number                           000003
        60.3  网络管理信息码    Network-management code                201
        63    自定义域63        Reserved 63                            <3 bytes>
        63.1  卡组织或操作员    Organisation or operator               01
    "#]],
    );
}

#[test]
fn a_pin_block_in_63() {
    check(
        "9.19",
        expect![[r#"
        MTI      报文类型          Message type                           0200
        2        主账号            Primary account number                 622424******0069
        3        交易处理码        Processing code                        000000
        4        交易金额          Amount, transaction                    000000001111  11.11
        11       受卡方系统跟踪号  System trace audit number              000079
        12       受卡方所在地时间  Local time                             141554
        13       受卡方所在地日期  Local date                             0824
        14       卡有效期          Expiry date                            ****
        22       服务点输入方式码  Point of service entry mode            071  挥卡，有密码 / contactless chip, with PIN
        23       卡序列号          Card sequence number                   000
        25       服务点条件码      Point of service condition code        00
        26       服务点PIN获取码   Point of service PIN capture code      12
        41       受卡机终端标识码  Card acceptor terminal identification  10016919
        42       受卡方标识码      Card acceptor identification           84329004582000B
        46       附加数据（ISO）   Additional data, ISO                   <69 bytes>
        49       交易货币代码      Currency code, transaction             156
        52       个人标识码数据    PIN data                               <8 bytes>
        53       安全控制信息      Security related control information   2410000000000000
        53.1     密码格式          PIN format                             2  带主账号 / with PAN
        53.2     密码算法          PIN cipher                             4  SM4
        53.3     磁道加密          Track encryption                       1  加密 / encrypted
        55       IC卡数据域        IC card data                           <145 bytes>
        55.9F26  应用密文          Application cryptogram                 46FD62985CAAE758
        55.9F27  密文信息数据      Cryptogram information data            80
        55.9F10  发卡行应用数据    Issuer application data                07011703A00000010A0100000500001EF41C46
        55.9F37  不可预知数        Unpredictable number                   9536C9B8
        55.9F36  应用交易计数器    Application transaction counter        0C66
        55.95    终端验证结果      Terminal verification results          0000000000
        55.9A    交易日期          Transaction date                       220824
        55.9C    交易类型          Transaction type                       00
        55.9F02  授权金额          Amount, authorised                     000000001111
        55.5F2A  交易货币代码      Transaction currency code              0156
        55.82    应用交互特征      Application interchange profile        7C00
        55.9F1A  终端国家代码      Terminal country code                  0156
        55.9F03  其他金额          Amount, other                          000000000000
        55.9F33  终端性能          Terminal capabilities                  60E9C8
        55.9F34  持卡人验证结果    Cardholder verification results        000000
        55.9F35  终端类型          Terminal type                          22
        55.9F1E  接口设备序列号    Interface device serial number         3132333435363738
        55.84    专用文件名称      Dedicated file name                    A000000333010102
        55.9F09  应用版本号        Application version number             0030
        55.9F41  交易序列计数器    Transaction sequence counter           00000001
        60       自定义域60        Reserved 60                            2200072700060
        60.1     交易类型码        Transaction type                       22
        60.2     批次号            Batch number                           000727
        60.3     网络管理信息码    Network-management code                000
        60.4     终端读取能力      Terminal capability                    6
        60.5     IC卡条件代码      IC-card condition                      0
        62       自定义域62        Reserved 62                            <24 bytes>
        63       自定义域63        Reserved 63                            <21 bytes>
        63.1     国密密码块        SM4 PIN block                          <16 bytes>
        64       报文鉴别码        Message authentication code            83592745
    "#]],
    );
}

#[test]
fn a_host_answer_with_balances() {
    check(
        "9.23.3",
        expect![[r#"
        MTI      报文类型            Message type                            0210
        2        主账号              Primary account number                  622601******5479
        3        交易处理码          Processing code                         300000
        7        交易传输时间        Transmission date and time              0825123011
        11       受卡方系统跟踪号    System trace audit number               863787
        12       受卡方所在地时间    Local time                              123011
        13       受卡方所在地日期    Local date                              0825
        14       卡有效期            Expiry date                             ****
        15       清算日期            Settlement date                         0825
        18       商户类型            Merchant type                           6011
        23       卡序列号            Card sequence number                    001
        25       服务点条件码        Point of service condition code         02
        32       受理方标识码        Acquiring institution identification    92250000
        33       发送方标识码        Forwarding institution identification   92250000
        37       检索参考号          Retrieval reference number              000000021681
        39       应答码              Response code                           00
        41       受卡机终端标识码    Card acceptor terminal identification   12345678
        42       受卡方标识码        Card acceptor identification            123456789012345
        43       受卡方名称地址      Card acceptor name and location         CHN29000CHINA UNIONPAY SIMULATOR
        49       交易货币代码        Currency code, transaction              156
        54       余额                Additional amounts                      <40 bytes>
        54.1     余额                Balance                                 30 01 156 17971.00  账面余额 / ledger
        54.2     余额                Balance                                 30 02 156 48109.38  可用余额 / available
        55       IC卡数据域          IC card data                            <17 bytes>
        55.9F36  应用交易计数器      Application transaction counter         3788
        55.91    发卡行认证数据      Issuer authentication data              E9D1DC942D1F3D673030
        60       自定义域60          Reserved 60                             000006000100000000004022102100
        63       自定义域63          Reserved 63                             <21 bytes>
        63.1     国密密码块          SM4 PIN block                           <16 bytes>
        100      接收方标识码        Receiving institution identification    00980001
        121      银联处理中心保留    Reserved for the switch                 <43 bytes>
        123      发卡方保留          Reserved for the issuer                 <226 bytes>
        128      报文鉴别码（扩展）  Message authentication code, secondary  23B01FCE
    "#]],
    );
}

#[test]
fn no_description_or_debug_output_holds_a_secret() {
    for sample in samples::all() {
        let mut message = Message::new(Mti(0));
        if sample
            .dialect
            .decode_lenient(sample.body(), &mut message)
            .is_err()
        {
            continue;
        }
        let shown = format!(
            "{message:?}\n{:?}",
            describe::describe(&message, sample.dialect)
        );
        for field in [2, 14, 35, 36, 52, 62] {
            let Some(value) = message.get(field) else {
                continue;
            };
            let hex: String = value.iter().map(|byte| format!("{byte:02X}")).collect();
            for secret in [hex, String::from_utf8_lossy(value).into_owned()] {
                let common = field == 14 || secret.trim_matches('0').is_empty();
                assert!(
                    common || !shown.contains(&secret),
                    "{} shows field {field}",
                    sample.name
                );
            }
        }
        if let Some(pan) = message.text(2) {
            assert!(
                !shown.contains(&pan[4..]),
                "{} shows a card number",
                sample.name
            );
        }
    }
}
