import type { RuntimeErrorRow } from "../error-row.ts";

/** What can go wrong with a step of runtime lambda besides what can with any step. */
export const lambdaErrors = {
  ERR_LAMBDA_PACKAGE: {
    retry: false,
    summary: "The host does not have the package that speaks to AWS Lambda.",
    next: "Install it beside Millrace: npm i @aws-sdk/client-lambda",
  },
  ERR_LAMBDA_OPTIONS: {
    retry: false,
    summary: "The `runtime` of a step does not say which Lambda function is meant.",
    next: "Mend what the message names: `function`, `qualifier`, `region`, `endpoint`, `fatal`.",
  },
  ERR_LAMBDA_PAYLOAD: {
    retry: false,
    summary: "The step's input has more than the 6 MiB that Lambda takes; nothing was invoked.",
    next: "Keep large data in a store, and have the event or the step before put out its address.",
  },
  ERR_LAMBDA_CREDENTIALS: {
    retry: true,
    summary: "The host has no AWS credentials or no region, or AWS does not take them: wrong or expired.",
    next: "Set AWS_REGION, and give the host's process a role or credentials as any AWS program gets them.",
  },
  ERR_LAMBDA_ACCESS: {
    retry: false,
    summary:
      "AWS does not allow the host to invoke the function, or `push` to give it its code, or the function's own role to be used.",
    next: "Allow what the message names: lambda:InvokeFunction on the function with its qualifier for the host, more for `push`; or mend the function's role.",
  },
  ERR_LAMBDA_FUNCTION: {
    retry: false,
    summary: "There is no such Lambda function, version or alias in that account and region.",
    next: "Correct `function`, `qualifier` or `region`, or create the function.",
  },
  ERR_LAMBDA_CONFIGURATION: {
    retry: false,
    summary:
      "Lambda can't start the function as it is set up: its runtime, code archive, KMS key, network or file system.",
    next: "Mend the function's configuration as the message says.",
  },
  ERR_LAMBDA_HANDLER: {
    retry: false,
    summary: "The function's code can't be loaded: a missing module or handler, or a syntax error.",
    next: "Mend the code or the function's `Handler` setting, and deploy it again.",
  },
  ERR_LAMBDA_REFUSED: {
    retry: false,
    summary: "Lambda refused the invocation as it was asked for.",
    next: "Read the message; AWS's reference of Invoke explains the exception that it names.",
  },
  ERR_LAMBDA_THROTTLED: {
    retry: true,
    summary: "Lambda, or a service that it uses, had too many requests, or the function too many at once.",
    next: "Nothing: it is tried again. Raise the function's or the account's concurrency if it lasts.",
  },
  ERR_LAMBDA_UNAVAILABLE: {
    retry: true,
    summary: "Lambda failed, or can't run the function at the moment: it is being created or updated.",
    next: "Nothing: it is tried again. If it lasts, look at the function's state and at AWS's health page.",
  },
  ERR_LAMBDA_UNREACHABLE: {
    retry: true,
    summary:
      "No connection to Lambda, or it broke off: no network or name, a refused connection, an untrusted certificate.",
    next: "Check the host's network, `region` and `endpoint`; the step may have been run.",
  },
} as const satisfies Record<string, RuntimeErrorRow>;
