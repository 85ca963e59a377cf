// The pages of the settings, in their order; a page's id is what the window's subject says, and what opens it from elsewhere.
import { Bot, CircleUserRound, KeyRound, MessagesSquare, Palette, Share2, Sparkles, type LucideIcon } from "lucide-react";

export const PAGE_IDS = ["ai", "channels", "appearance", "profile", "ai-profile", "social", "account"] as const;
export type PageId = (typeof PAGE_IDS)[number];

export interface Page {
  id: PageId;
  name: string;
  /** What it is about, for the list on a small screen and for the palette. */
  about: string;
  icon: LucideIcon;
}

export const PAGES: readonly Page[] = [
  { id: "ai", name: "AI", about: "Model, when it asks, limits", icon: Sparkles },
  { id: "channels", name: "Channels", about: "Talk to your AI on Telegram", icon: MessagesSquare },
  { id: "appearance", name: "Appearance", about: "Light or dark, accent, wallpaper", icon: Palette },
  { id: "profile", name: "Profile", about: "Who you are, and your public page", icon: CircleUserRound },
  { id: "ai-profile", name: "AI profile", about: "How your AI is, and what it is like", icon: Bot },
  { id: "social", name: "Sharing", about: "What others may see of what you do", icon: Share2 },
  { id: "account", name: "Account", about: "Passkeys, sessions, your data", icon: KeyRound },
];

export const isPageId = (text: string | undefined): text is PageId => PAGE_IDS.some((id) => id === text);
