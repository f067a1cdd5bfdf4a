interface Shipment {
  carrier: string;
  tracking: string;
}

interface Input {
  event: { data: { id: string } };
  steps: {
    charge: { amount: number; currency: string };
    "ship-express"?: Shipment;
    "ship-standard"?: Shipment;
  };
}

export default ({ event, steps }: Input) => {
  // `join: any`: one of the two has shipped it, the other was skipped and has no output.
  const shipment = steps["ship-express"] ?? steps["ship-standard"];
  const { amount, currency } = steps.charge;
  return {
    message: `Order ${event.data.id}: ${amount} ${currency} paid, on its way as ${shipment?.tracking}.`,
  };
};
