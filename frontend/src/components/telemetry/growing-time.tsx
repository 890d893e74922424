import { formatDuration } from "@/lib/turn-summary";
import { useGatewayNow } from "./use-gateway-now";

/** How long it has been since `at`, counting on. */
export function GrowingTime({ at }: { at: number }) {
  const now = useGatewayNow(true);
  return <>{formatDuration(Math.max(0, now - at))}</>;
}
