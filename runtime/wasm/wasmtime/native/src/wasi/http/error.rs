use wasmtime::component::{ComponentType, Lower};

/// `error-code` of wasi:http/types.
#[derive(ComponentType, Lower, Clone, Debug)]
#[component(variant)]
pub enum ErrorCode {
    #[component(name = "DNS-timeout")]
    DnsTimeout,
    #[component(name = "DNS-error")]
    DnsError(DnsError),
    #[component(name = "destination-not-found")]
    DestinationNotFound,
    #[component(name = "destination-unavailable")]
    DestinationUnavailable,
    #[component(name = "destination-IP-prohibited")]
    DestinationIpProhibited,
    #[component(name = "destination-IP-unroutable")]
    DestinationIpUnroutable,
    #[component(name = "connection-refused")]
    ConnectionRefused,
    #[component(name = "connection-terminated")]
    ConnectionTerminated,
    #[component(name = "connection-timeout")]
    ConnectionTimeout,
    #[component(name = "connection-read-timeout")]
    ConnectionReadTimeout,
    #[component(name = "connection-write-timeout")]
    ConnectionWriteTimeout,
    #[component(name = "connection-limit-reached")]
    ConnectionLimitReached,
    #[component(name = "TLS-protocol-error")]
    TlsProtocolError,
    #[component(name = "TLS-certificate-error")]
    TlsCertificateError,
    #[component(name = "TLS-alert-received")]
    TlsAlertReceived(TlsAlert),
    #[component(name = "HTTP-request-denied")]
    RequestDenied,
    #[component(name = "HTTP-request-length-required")]
    RequestLengthRequired,
    #[component(name = "HTTP-request-body-size")]
    RequestBodySize(Option<u64>),
    #[component(name = "HTTP-request-method-invalid")]
    RequestMethodInvalid,
    #[component(name = "HTTP-request-URI-invalid")]
    RequestUriInvalid,
    #[component(name = "HTTP-request-URI-too-long")]
    RequestUriTooLong,
    #[component(name = "HTTP-request-header-section-size")]
    RequestHeaderSectionSize(Option<u32>),
    #[component(name = "HTTP-request-header-size")]
    RequestHeaderSize(Option<FieldSize>),
    #[component(name = "HTTP-request-trailer-section-size")]
    RequestTrailerSectionSize(Option<u32>),
    #[component(name = "HTTP-request-trailer-size")]
    RequestTrailerSize(FieldSize),
    #[component(name = "HTTP-response-incomplete")]
    ResponseIncomplete,
    #[component(name = "HTTP-response-header-section-size")]
    ResponseHeaderSectionSize(Option<u32>),
    #[component(name = "HTTP-response-header-size")]
    ResponseHeaderSize(FieldSize),
    #[component(name = "HTTP-response-body-size")]
    ResponseBodySize(Option<u64>),
    #[component(name = "HTTP-response-trailer-section-size")]
    ResponseTrailerSectionSize(Option<u32>),
    #[component(name = "HTTP-response-trailer-size")]
    ResponseTrailerSize(FieldSize),
    #[component(name = "HTTP-response-transfer-coding")]
    ResponseTransferCoding(Option<String>),
    #[component(name = "HTTP-response-content-coding")]
    ResponseContentCoding(Option<String>),
    #[component(name = "HTTP-response-timeout")]
    ResponseTimeout,
    #[component(name = "HTTP-upgrade-failed")]
    UpgradeFailed,
    #[component(name = "HTTP-protocol-error")]
    ProtocolError,
    #[component(name = "loop-detected")]
    LoopDetected,
    #[component(name = "configuration-error")]
    ConfigurationError,
    #[component(name = "internal-error")]
    InternalError(Option<String>),
}

#[derive(ComponentType, Lower, Clone, Debug)]
#[component(record)]
pub struct DnsError {
    rcode: Option<String>,
    #[component(name = "info-code")]
    info_code: Option<u16>,
}

#[derive(ComponentType, Lower, Clone, Debug)]
#[component(record)]
pub struct TlsAlert {
    #[component(name = "alert-id")]
    alert_id: Option<u8>,
    #[component(name = "alert-message")]
    alert_message: Option<String>,
}

#[derive(ComponentType, Lower, Clone, Debug, Default)]
#[component(record)]
pub struct FieldSize {
    #[component(name = "field-name")]
    field_name: Option<String>,
    #[component(name = "field-size")]
    field_size: Option<u32>,
}

impl ErrorCode {
    /// The case of that name; what the host says beside it goes where the case has room for a text.
    pub fn named(name: &str, detail: Option<String>) -> Self {
        match name {
            "DNS-timeout" => Self::DnsTimeout,
            "DNS-error" => Self::DnsError(DnsError {
                rcode: detail,
                info_code: None,
            }),
            "destination-not-found" => Self::DestinationNotFound,
            "destination-unavailable" => Self::DestinationUnavailable,
            "destination-IP-prohibited" => Self::DestinationIpProhibited,
            "destination-IP-unroutable" => Self::DestinationIpUnroutable,
            "connection-refused" => Self::ConnectionRefused,
            "connection-terminated" => Self::ConnectionTerminated,
            "connection-timeout" => Self::ConnectionTimeout,
            "connection-read-timeout" => Self::ConnectionReadTimeout,
            "connection-write-timeout" => Self::ConnectionWriteTimeout,
            "connection-limit-reached" => Self::ConnectionLimitReached,
            "TLS-protocol-error" => Self::TlsProtocolError,
            "TLS-certificate-error" => Self::TlsCertificateError,
            "TLS-alert-received" => Self::TlsAlertReceived(TlsAlert {
                alert_id: None,
                alert_message: detail,
            }),
            "HTTP-request-denied" => Self::RequestDenied,
            "HTTP-request-length-required" => Self::RequestLengthRequired,
            "HTTP-request-body-size" => Self::RequestBodySize(None),
            "HTTP-request-method-invalid" => Self::RequestMethodInvalid,
            "HTTP-request-URI-invalid" => Self::RequestUriInvalid,
            "HTTP-request-URI-too-long" => Self::RequestUriTooLong,
            "HTTP-request-header-section-size" => Self::RequestHeaderSectionSize(None),
            "HTTP-request-header-size" => Self::RequestHeaderSize(None),
            "HTTP-request-trailer-section-size" => Self::RequestTrailerSectionSize(None),
            "HTTP-request-trailer-size" => Self::RequestTrailerSize(FieldSize::default()),
            "HTTP-response-incomplete" => Self::ResponseIncomplete,
            "HTTP-response-header-section-size" => Self::ResponseHeaderSectionSize(None),
            "HTTP-response-header-size" => Self::ResponseHeaderSize(FieldSize::default()),
            "HTTP-response-body-size" => Self::ResponseBodySize(None),
            "HTTP-response-trailer-section-size" => Self::ResponseTrailerSectionSize(None),
            "HTTP-response-trailer-size" => Self::ResponseTrailerSize(FieldSize::default()),
            "HTTP-response-transfer-coding" => Self::ResponseTransferCoding(detail),
            "HTTP-response-content-coding" => Self::ResponseContentCoding(detail),
            "HTTP-response-timeout" => Self::ResponseTimeout,
            "HTTP-upgrade-failed" => Self::UpgradeFailed,
            "HTTP-protocol-error" => Self::ProtocolError,
            "loop-detected" => Self::LoopDetected,
            "configuration-error" => Self::ConfigurationError,
            _ => Self::InternalError(detail),
        }
    }
}
