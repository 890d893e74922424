import { afterEach, describe, expect, it } from "vitest";
import { signInUrl, wantsTickets } from "@/lib/sign-in";
import { writeMeta } from "@/test/write-meta";

const HERE = "http://localhost:3000/s/abc?a=1&b=2#c";
const HERE_IN_A_URL = "http%3A%2F%2Flocalhost%3A3000%2Fs%2Fabc%3Fa%3D1%26b%3D2%23c";

afterEach(() => {
  for (const name of ["auth-mode", "auth-sign-in-url"]) writeMeta(name, null);
});

describe("a ticket", () => {
  it.each([
    ["jwt", true],
    ["none", false],
    ["__AUTH_MODE__", false],
    ["", false],
    [null, false],
  ])("with the mode %j is wanted: %s", (mode, isWanted) => {
    writeMeta("auth-mode", mode);
    expect(wantsTickets()).toBe(isWanted);
  });
});

describe("the address to sign in at", () => {
  it.each([
    ["/sign-in", "http://localhost:3000/sign-in"],
    ["/sign-in?to={return_to}", `http://localhost:3000/sign-in?to=${HERE_IN_A_URL}`],
    [
      "https://id.example/start?rd={return_to}&x={return_to}",
      `https://id.example/start?rd=${HERE_IN_A_URL}&x=${HERE_IN_A_URL}`,
    ],
    ["HTTPS://id.example", "https://id.example/"],
  ])("%s", (written, url) => {
    writeMeta("auth-sign-in-url", written);
    expect(signInUrl(HERE)).toBe(url);
  });

  it.each([
    null,
    "",
    "__AUTH_SIGN_IN_URL__",
    "javascript:alert(1)",
    "data:text/html,x",
    "sign-in",
    "//id.example",
    "/\\id.example",
    "/\t/id.example",
    "https://",
    "http://a b/",
  ])("is none where the page has %j", (written) => {
    writeMeta("auth-sign-in-url", written);
    expect(signInUrl(HERE)).toBeNull();
  });
});
