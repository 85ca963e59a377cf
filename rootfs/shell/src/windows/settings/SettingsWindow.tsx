// Settings: a list of pages and the page that was chosen, beside each other where there is room, else one after the other.
import { ArrowLeft } from "lucide-react";
import { useEffect, useRef } from "react";
import { IconButton } from "@matrixos/look/Button.tsx";
import { AccountPage } from "./pages/AccountPage.tsx";
import { AgentPage } from "./pages/AgentPage.tsx";
import { AppearancePage } from "./pages/AppearancePage.tsx";
import { ChannelsPage } from "./pages/ChannelsPage.tsx";
import { AiProfilePage, ProfilePage } from "./pages/ProfilePages.tsx";
import { SocialPage } from "./pages/SocialPage.tsx";
import { PAGES, isPageId, type PageId } from "./pages.ts";
import styles from "./settings.module.css";

interface Props {
  page: string | undefined;
  onPage: (page: PageId | undefined) => void;
  onTitle: (title: string | undefined) => void;
}

export default function SettingsWindow({ page, onPage, onTitle }: Props) {
  const chosen = isPageId(page) ? page : undefined;
  const shown = PAGES.find(({ id }) => id === (chosen ?? "ai")) ?? PAGES[0]!;
  const content = useRef<HTMLDivElement>(null);
  const title = chosen && `Settings: ${shown.name}`;
  useEffect(() => onTitle(title), [title, onTitle]);
  useEffect(() => {
    // Braces: newer browsers answer with a promise, which is no way to end an effect.
    content.current?.scrollTo(0, 0);
  }, [shown]);
  return (
    <div className={styles.settings} data-chosen={chosen !== undefined}>
      <nav className={styles.nav} aria-label="Settings">
        {PAGES.map(({ id, name, about, icon: Icon }) => (
          <button key={id} type="button" className={styles.link} aria-current={id === shown.id ? "page" : undefined} data-testid={`settings-${id}`} onClick={() => onPage(id)}>
            <Icon aria-hidden="true" />
            <span>{name}</span>
            <small>{about}</small>
          </button>
        ))}
      </nav>
      <div ref={content} className={styles.page} role="region" aria-label={shown.name}>
        <header className={styles.head}>
          <IconButton label="All settings" className={styles.back} onClick={() => onPage(undefined)}>
            <ArrowLeft aria-hidden="true" />
          </IconButton>
          <h3>{shown.name}</h3>
        </header>
        <PageOf id={shown.id} />
      </div>
    </div>
  );
}

function PageOf({ id }: { id: PageId }) {
  switch (id) {
    case "ai":
      return <AgentPage />;
    case "channels":
      return <ChannelsPage />;
    case "appearance":
      return <AppearancePage />;
    case "profile":
      return <ProfilePage />;
    case "ai-profile":
      return <AiProfilePage />;
    case "social":
      return <SocialPage />;
    case "account":
      return <AccountPage />;
  }
}
