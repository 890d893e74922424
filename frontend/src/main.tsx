import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { App } from "@/app/app";
import { followPreferences, preferences } from "@/app/preferences";
import { followAddress } from "@/app/routes";
import { followSessionList } from "@/app/session-list";
import { applyTheme, systemIsDark } from "@/hooks/use-theme";
import "@/index.css";

applyTheme(preferences.getState().theme, systemIsDark());
followPreferences();
followSessionList();
followAddress();

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <App />
  </StrictMode>,
);
