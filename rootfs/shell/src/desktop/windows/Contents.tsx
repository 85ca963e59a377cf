// What each kind of window shows. What is not needed at first is a chunk of its own, fetched when the first one is opened.
import { Suspense, lazy, type Dispatch } from "react";
import { AppWindow } from "../../windows/app/AppWindow.tsx";
import { ChatWindow } from "../../windows/chat/ChatWindow.tsx";
import { FilesWindow } from "../../windows/files/FilesWindow.tsx";
import { SystemWindow } from "../../windows/system/SystemWindow.tsx";
import { Loading } from "../../parts/States.tsx";
import type { Action, Win } from "./layout.ts";

const TerminalWindow = lazy(() => import("../../windows/terminal/TerminalWindow.tsx"));
const SettingsWindow = lazy(() => import("../../windows/settings/SettingsWindow.tsx"));
const JobsWindow = lazy(() => import("../../windows/jobs/JobsWindow.tsx"));
const EditorWindow = lazy(() => import("../../windows/editor/EditorWindow.tsx"));
const ActivityWindow = lazy(() => import("../../windows/activity/ActivityWindow.tsx"));

interface Props {
  win: Win;
  active: boolean;
  visible: boolean;
  dispatch: Dispatch<Action>;
  onTitle: (title: string | undefined) => void;
}

export function Contents({ win, active, visible, dispatch, onTitle }: Props) {
  const { id, subject } = win;
  const onSubject = (next: string | undefined) => dispatch({ type: "subject", id, subject: next });
  switch (win.kind) {
    case "chat":
      return <ChatWindow session={subject} onSession={onSubject} />;
    case "terminal":
      return (
        <Suspense fallback={<Loading what="the terminal" />}>
          <TerminalWindow
            session={subject}
            active={active}
            visible={visible}
            onSession={onSubject}
            onTitle={onTitle}
            onClose={() => dispatch({ type: "close", id })}
          />
        </Suspense>
      );
    case "files":
      return <FilesWindow folder={subject ?? ""} onFolder={onSubject} onTitle={onTitle} />;
    case "system":
      return <SystemWindow visible={visible} />;
    case "settings":
      return (
        <Suspense fallback={<Loading what="the settings" />}>
          <SettingsWindow page={subject} onPage={onSubject} onTitle={onTitle} />
        </Suspense>
      );
    case "app":
      return <AppWindow app={subject ?? ""} active={active} onTitle={onTitle} onUse={() => active || dispatch({ type: "focus", id })} />;
    case "jobs":
      return (
        <Suspense fallback={<Loading what="the jobs" />}>
          <JobsWindow visible={visible} />
        </Suspense>
      );
    case "editor":
      return (
        <Suspense fallback={<Loading what="the editor" />}>
          <EditorWindow id={id} path={subject ?? ""} onTitle={onTitle} onClose={() => dispatch({ type: "close", id })} />
        </Suspense>
      );
    case "activity":
      return (
        <Suspense fallback={<Loading what="the activity" />}>
          <ActivityWindow visible={visible} />
        </Suspense>
      );
  }
}
