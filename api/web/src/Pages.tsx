// One document for all pages; the address decides which.
import { Account } from "./pages/account/Account.tsx";
import { Landing } from "./pages/landing/Landing.tsx";
import { Login } from "./pages/login/Login.tsx";
import { Missing } from "./pages/missing/Missing.tsx";
import { Profile } from "./pages/profile/Profile.tsx";
import { Signup } from "./pages/signup/Signup.tsx";
import { type Page, pageAt } from "./platform/places.ts";

export function Pages() {
  return pageFor(pageAt(location.pathname, location.search));
}

function pageFor(page: Page) {
  switch (page.name) {
    case "landing":
      return <Landing />;
    case "signup":
      return <Signup />;
    case "login":
      return <Login to={page.to} />;
    case "account":
      return <Account />;
    case "profile":
      return <Profile handle={page.handle} />;
    case "missing":
      return <Missing />;
  }
}
