/** The environment as user code sees it: without what would let a job act as the worker. */

const secretName =
  /^(AWS_|MILLRACE_TOKEN|MILLRACE_TLS)|TOKEN|SECRET|PASSWORD|PASSWD|CREDENTIAL|PRIVATE_KEY|API_?KEY/i;

export function cleanEnv(
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string | undefined>> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !secretName.test(name)));
}
