import { formatDuration } from "@/lib/durations";
import { useGatewayNow } from "./use-gateway-now";

/** How long it has been since `at`, counting on. */
export function GrowingTime({ at }: { at: number }) {
  const now = useGatewayNow(true);
  return <>{formatDuration(Math.max(0, now - at))}</>;
}
