//! What the texts of a request may be: RFC 9110 and RFC 3986, without what those deprecate.
use std::net::Ipv6Addr;

/// Headers of one connection, and those that say where a request goes and how its body is sent: they are the client's,
/// and a guest that could set them could make two requests of one. The same as in runtime/egress/headers.ts.
const RESERVED: [&str; 12] = [
    "connection",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

pub fn is_reserved(name: &str) -> bool {
    RESERVED
        .iter()
        .any(|other| other.eq_ignore_ascii_case(name))
}

/// The name of a header, or a method.
pub fn is_token(text: &str) -> bool {
    let symbol = |byte: u8| b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty()
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || symbol(byte))
}

pub fn is_header_value(value: &[u8]) -> bool {
    value
        .iter()
        .all(|byte| matches!(byte, b'\t' | 0x20..=0x7e | 0x80..))
}

pub fn is_scheme(text: &str) -> bool {
    let mut bytes = text.bytes();
    bytes.next().is_some_and(|byte| byte.is_ascii_alphabetic())
        && bytes.all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// Path and query; a fragment is none of them.
pub fn is_path(text: &str) -> bool {
    matches!(text.as_bytes().first(), None | Some(b'/' | b'?'))
        && text
            .bytes()
            .all(|byte| matches!(byte, 0x21..=0x7e) && byte != b'#')
}

/// A host and perhaps a port; no user, whom RFC 9110 has not to be there.
pub fn is_authority(text: &str) -> bool {
    let (host, rest) = if let Some(inner) = text.strip_prefix('[') {
        let Some((address, rest)) = inner.split_once(']') else {
            return false;
        };
        (address.parse::<Ipv6Addr>().is_ok(), rest)
    } else {
        let end = text.find(':').unwrap_or(text.len());
        (is_host(&text[..end]), &text[end..])
    };
    host && (rest.is_empty() || rest.strip_prefix(':').is_some_and(is_port))
}

fn is_host(text: &str) -> bool {
    let bytes = text.as_bytes();
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let escaped = *byte == b'%'
            && bytes
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        if !escaped && !byte.is_ascii_alphanumeric() && !b"-._~!$&'()*+,;=".contains(byte) {
            return false;
        }
        at += if escaped { 3 } else { 1 };
    }
    !bytes.is_empty()
}

fn is_port(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u16>().is_ok()
}
