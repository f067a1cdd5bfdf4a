// A program: it reads its argument and prints. The same file would run with `node add-to-intercom.js '{…}'`.
const { event, steps } = JSON.parse(process.argv[2]);

const tags = ["new"];
if (steps["send-sms"].sent) tags.push("sms");

console.error(`adding ${event.user.email}`);
console.log(JSON.stringify({ contact: event.user.email, tags }));
