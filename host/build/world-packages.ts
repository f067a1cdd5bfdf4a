/**
 * The packages that steps with `http` are built against: those functions of WASI 0.2.9 that the guest calls. `wosi` becomes
 * `wasi` in the component: componentize-qjs 0.4.5 runs what it makes once, with a wasi:io of its own that does not fit the
 * stubs that it has for wasi:http. They have an older version than the guest's other imports, so as not to be the same.
 */
export const httpPackages: Readonly<Record<string, string>> = {
  "wosi-io/io": `package wosi:io@0.2.9;

interface error {
  resource error;
}

interface poll {
  resource pollable;

  poll: func(in: list<borrow<pollable>>) -> list<u32>;
}

interface streams {
  use error.{error};

  variant stream-error {
    last-operation-failed(error),
    closed,
  }

  resource input-stream {
    blocking-read: func(len: u64) -> result<list<u8>, stream-error>;
  }

  resource output-stream {
    blocking-write-and-flush: func(contents: list<u8>) -> result<_, stream-error>;
  }
}
`,
  "wosi-clocks/clocks": `package wosi:clocks@0.2.9;

interface monotonic-clock {
  use wosi:io/poll@0.2.9.{pollable};

  subscribe-duration: func(when: u64) -> pollable;
}
`,
  "wosi-http/http": `package wosi:http@0.2.9;

interface types {
  use wosi:io/streams@0.2.9.{input-stream, output-stream};
  use wosi:io/poll@0.2.9.{pollable};

  variant method {
    get,
    head,
    post,
    put,
    delete,
    connect,
    options,
    trace,
    patch,
    other(string)
  }

  variant scheme {
    HTTP,
    HTTPS,
    other(string)
  }

  record DNS-error-payload {
    rcode: option<string>,
    info-code: option<u16>
  }

  record TLS-alert-received-payload {
    alert-id: option<u8>,
    alert-message: option<string>
  }

  record field-size-payload {
    field-name: option<string>,
    field-size: option<u32>
  }

  variant error-code {
    DNS-timeout,
    DNS-error(DNS-error-payload),
    destination-not-found,
    destination-unavailable,
    destination-IP-prohibited,
    destination-IP-unroutable,
    connection-refused,
    connection-terminated,
    connection-timeout,
    connection-read-timeout,
    connection-write-timeout,
    connection-limit-reached,
    TLS-protocol-error,
    TLS-certificate-error,
    TLS-alert-received(TLS-alert-received-payload),
    HTTP-request-denied,
    HTTP-request-length-required,
    HTTP-request-body-size(option<u64>),
    HTTP-request-method-invalid,
    HTTP-request-URI-invalid,
    HTTP-request-URI-too-long,
    HTTP-request-header-section-size(option<u32>),
    HTTP-request-header-size(option<field-size-payload>),
    HTTP-request-trailer-section-size(option<u32>),
    HTTP-request-trailer-size(field-size-payload),
    HTTP-response-incomplete,
    HTTP-response-header-section-size(option<u32>),
    HTTP-response-header-size(field-size-payload),
    HTTP-response-body-size(option<u64>),
    HTTP-response-trailer-section-size(option<u32>),
    HTTP-response-trailer-size(field-size-payload),
    HTTP-response-transfer-coding(option<string>),
    HTTP-response-content-coding(option<string>),
    HTTP-response-timeout,
    HTTP-upgrade-failed,
    HTTP-protocol-error,
    loop-detected,
    configuration-error,
    internal-error(option<string>)
  }

  variant header-error {
    invalid-syntax,
    forbidden,
    immutable,
  }

  resource fields {
    from-list: static func(entries: list<tuple<string, list<u8>>>) -> result<fields, header-error>;
    entries: func() -> list<tuple<string, list<u8>>>;
  }

  resource outgoing-request {
    constructor(headers: fields);
    body: func() -> result<outgoing-body>;
    set-method: func(method: method) -> result;
    set-path-with-query: func(path-with-query: option<string>) -> result;
    set-scheme: func(scheme: option<scheme>) -> result;
    set-authority: func(authority: option<string>) -> result;
  }

  resource request-options;

  resource incoming-response {
    status: func() -> u16;
    headers: func() -> fields;
    consume: func() -> result<incoming-body>;
  }

  resource incoming-body {
    %stream: func() -> result<input-stream>;
  }

  resource outgoing-body {
    write: func() -> result<output-stream>;
    finish: static func(this: outgoing-body, trailers: option<fields>) -> result<_, error-code>;
  }

  resource future-incoming-response {
    subscribe: func() -> pollable;
    get: func() -> option<result<result<incoming-response, error-code>>>;
  }
}

interface outgoing-handler {
  use types.{outgoing-request, request-options, future-incoming-response, error-code};

  handle: func(
    request: outgoing-request,
    options: option<request-options>,
  ) -> result<future-incoming-response, error-code>;
}
`,
};

/** The packages that steps with `tmp` are built against: those functions of WASI 0.2.12 that the guest calls. */
export const filesystemPackages: Readonly<Record<string, string>> = {
  "clocks/wall-clock": `package wasi:clocks@0.2.12;

interface wall-clock {
  record datetime {
    seconds: u64,
    nanoseconds: u32,
  }
}
`,
  "filesystem/filesystem": `package wasi:filesystem@0.2.12;

interface types {
  use wasi:clocks/wall-clock@0.2.12.{datetime};

  type filesize = u64;
  type link-count = u64;

  enum descriptor-type {
    unknown,
    block-device,
    character-device,
    directory,
    fifo,
    symbolic-link,
    regular-file,
    socket,
  }

  flags descriptor-flags {
    read,
    write,
    file-integrity-sync,
    data-integrity-sync,
    requested-write-sync,
    mutate-directory,
  }

  record descriptor-stat {
    %type: descriptor-type,
    link-count: link-count,
    size: filesize,
    data-access-timestamp: option<datetime>,
    data-modification-timestamp: option<datetime>,
    status-change-timestamp: option<datetime>,
  }

  flags path-flags {
    symlink-follow,
  }

  flags open-flags {
    create,
    directory,
    exclusive,
    truncate,
  }

  variant new-timestamp {
    no-change,
    now,
    timestamp(datetime),
  }

  record directory-entry {
    %type: descriptor-type,
    name: string,
  }

  enum error-code {
    access,
    would-block,
    already,
    bad-descriptor,
    busy,
    deadlock,
    quota,
    exist,
    file-too-large,
    illegal-byte-sequence,
    in-progress,
    interrupted,
    invalid,
    io,
    is-directory,
    loop,
    too-many-links,
    message-size,
    name-too-long,
    no-device,
    no-entry,
    no-lock,
    insufficient-memory,
    insufficient-space,
    not-directory,
    not-empty,
    not-recoverable,
    unsupported,
    no-tty,
    no-such-device,
    overflow,
    not-permitted,
    pipe,
    read-only,
    invalid-seek,
    text-file-busy,
    cross-device,
  }

  resource descriptor {
    get-type: func() -> result<descriptor-type, error-code>;
    set-size: func(size: filesize) -> result<_, error-code>;
    read: func(length: filesize, offset: filesize) -> result<tuple<list<u8>, bool>, error-code>;
    write: func(buffer: list<u8>, offset: filesize) -> result<filesize, error-code>;
    read-directory: func() -> result<directory-entry-stream, error-code>;
    create-directory-at: func(path: string) -> result<_, error-code>;
    stat: func() -> result<descriptor-stat, error-code>;
    stat-at: func(path-flags: path-flags, path: string) -> result<descriptor-stat, error-code>;
    set-times-at: func(
      path-flags: path-flags,
      path: string,
      data-access-timestamp: new-timestamp,
      data-modification-timestamp: new-timestamp,
    ) -> result<_, error-code>;
    link-at: func(
      old-path-flags: path-flags,
      old-path: string,
      new-descriptor: borrow<descriptor>,
      new-path: string,
    ) -> result<_, error-code>;
    open-at: func(
      path-flags: path-flags,
      path: string,
      open-flags: open-flags,
      %flags: descriptor-flags,
    ) -> result<descriptor, error-code>;
    readlink-at: func(path: string) -> result<string, error-code>;
    remove-directory-at: func(path: string) -> result<_, error-code>;
    rename-at: func(old-path: string, new-descriptor: borrow<descriptor>, new-path: string) -> result<_, error-code>;
    symlink-at: func(old-path: string, new-path: string) -> result<_, error-code>;
    unlink-file-at: func(path: string) -> result<_, error-code>;
  }

  resource directory-entry-stream {
    read-directory-entry: func() -> result<option<directory-entry>, error-code>;
  }
}

interface preopens {
  use types.{descriptor};

  get-directories: func() -> list<tuple<descriptor, string>>;
}
`,
};
