import { type Order, total } from "./order.ts";

export default ({ event }: { event: { data: Order } }) => ({ total: total(event.data), currency: "EUR" });
