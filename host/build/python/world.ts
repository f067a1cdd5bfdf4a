/** The worlds of Python steps, and those functions of WASI that the guest calls: those that componentize-py brings are of another version. */
export const worlds = `package millrace:python@0.1.0;

world program {
  import wasi:cli/environment@0.2.12;
  import wasi:cli/exit@0.2.12;
  export wasi:cli/run@0.2.12;
}

world typed {
  import wasi:cli/environment@0.2.12;
  include millrace:step/step@0.1.0;
}
`;

/** wasi:cli, of which componentize-py wants whole interfaces, and the guest the function that no feature guards here. */
export const wasiCli = `package wasi:cli@0.2.12;

interface environment {
  get-environment: func() -> list<tuple<string, string>>;
  get-arguments: func() -> list<string>;
  initial-cwd: func() -> option<string>;
}

interface exit {
  exit: func(status: result);
  exit-with-code: func(status-code: u8);
}

interface run {
  run: func() -> result;
}
`;
