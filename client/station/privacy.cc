// SPDX-License-Identifier: EUPL-1.2
// The request of a person concerned: what is held, who looked, the answer as a file, and putting right who a
// file is about.
#include <algorithm>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "client/commands/command.h"
#include "client/station/audit.h"
#include "client/station/events.h"
#include "client/station/facts.h"
#include "client/station/forms.h"
#include "client/station/station.h"
#include "waarborg/v1/subjects.grpc.pb.h"

namespace waarborg::station {
namespace {

using Service = pb::SubjectService;
using Stub = Service::Stub;

constexpr auto kReading = std::chrono::seconds(30);
// A page that is read; the file for the answer holds all.
constexpr int kEntriesShown = 300;
// Of an identity (common.proto).
constexpr int kOtherNames = 10;

std::string Lasting(const Visit& v, const google::protobuf::Timestamp& from,
                    const google::protobuf::Timestamp& until) {
  return absl::StrCat(v.words.Moment(from), " – ", v.words.Moment(until));
}

FieldOptions Plain(int length, bool optional) {
  FieldOptions o;
  o.max_length = length;
  o.optional = optional;
  o.personal = true;
  return o;
}

View FindView(Visit& v) {
  View view;
  FieldOptions given = Plain(120, true);
  given.autofocus = v.request.method != "POST";
  given.hint = v.Say("Alle voornamen, zoals op het document");
  view.Set("given_names", TextField(v, "name.given_names", v.Say("Voornamen"), given));
  view.Set("prefix", TextField(v, "name.prefix", v.Say("Tussenvoegsel"), Plain(20, true)));
  view.Set("surname", TextField(v, "name.surname", v.Say("Achternaam"), Plain(120, false)));
  FieldOptions born;
  born.hint = v.Say("Laat open wat op het document niet bekend is");
  view.Set("birth_date", DateField(v, "birth_date", v.Say("Geboortedatum"), {}, born));
  view.Set("found", false).Set("any", false).Set("files", false);
  return view;
}

Response ShowFind(Visit& v) {
  return v.Page("subject_find", v.Say("Inzageverzoek"), FindView(v));
}

// The form stays on the page with what came of it: what was typed must not stand in an address.
Response Find(Visit& v) {
  pb::FindSubjectRequest request;
  request.mutable_name()->set_given_names(v.Field("name.given_names"));
  request.mutable_name()->set_prefix(v.Field("name.prefix"));
  request.mutable_name()->set_surname(v.Field("name.surname"));
  if (!ReadDate(v, "birth_date", true, request.mutable_birth_date())) return ShowFind(v);
  pb::FindSubjectResponse response;
  if (const auto error = v.Ask<Service>(&Stub::FindSubject, request, &response); !error.ok()) {
    v.Problem(error);
    return ShowFind(v);
  }
  View view = FindView(v);
  std::vector<View> files;
  for (const pb::FoundFile& file : response.files()) {
    View one;
    one.Set("ban_id", file.ban_id())
        .Set("state", NameOf(v.words, file.state()))
        .Set("opened", v.words.Moment(file.opened_at()));
    one.Set("ran",
            file.has_starts_at() && file.has_ends_at() ? Lasting(v, file.starts_at(), file.ends_at()) : "");
    one.Set("corrected_away", file.corrected_away()).Set("path", absl::StrCat("/subject/", file.ban_id()));
    files.push_back(std::move(one));
  }
  view.Set("found", true).Set("any", !files.empty()).Set("files", files);
  return v.Page("subject_find", v.Say("Inzageverzoek"), std::move(view));
}

// The whole answer of the core, page by page. False with the problem on the visit.
bool AskAll(Visit& v, pb::ExportSubjectResponse& whole) {
  pb::ExportSubjectRequest request;
  request.set_ban_id(v.Part("ban"));
  do {
    pb::ExportSubjectResponse page;
    if (const auto error = v.Ask<Service>(&Stub::ExportSubject, request, &page, kReading); !error.ok()) {
      v.Problem(error);
      return false;
    }
    request.set_page_token(page.next_page_token());
    page.clear_next_page_token();
    whole.MergeFrom(page);
  } while (!request.page_token().empty());
  return true;
}

View Part(const std::string& title, const FactList& facts) {
  View view;
  return view.Set("title", title).Set("facts", facts.views());
}

std::vector<View> Parts(Visit& v, const pb::SubjectFile& file) {
  const pb::Ban& ban = file.ban();
  std::vector<View> out;
  const auto take = [&out](const std::string& title, const FactList& facts) {
    if (!facts.empty()) out.push_back(Part(title, facts));
  };

  FactList who;
  who.Add(v.Say("Naam"), FullName(ban.identity().name()), true);
  for (const pb::PersonName& other : ban.identity().other_names())
    who.Add(v.Say("Andere naam"), FullName(other), true);
  if (ban.identity().has_birth_date())
    who.Add(v.Say("Geboortedatum"), v.words.Day(ban.identity().birth_date()), true);
  who.Add(v.Say("Identiteit"),
          ban.identity().established() ? v.Say("vastgesteld") : v.Say("niet vastgesteld"));
  who.Add(v.Say("Signalement"), ban.identity().description(), true);
  take(v.Say("Wie"), who);

  FactList measure;
  measure.Add(v.Say("Stand"),
              absl::StrCat(NameOf(v.words, ban.state()),
                           ban.in_force() ? absl::StrCat(" (", v.Say("van kracht"), ")") : ""));
  std::string ground = ban.terms().ground_id();
  for (const auto& choice : v.choices().grounds()) {
    if (choice.id() == ground) ground = choice.name();
  }
  measure.Add(v.Say("Grond"), ground);
  if (ban.has_terms())
    measure.Add(v.Say("Termijn"),
                v.Say("{from} tot en met {until}", {{"from", v.words.Day(ban.terms().from())},
                                                    {"until", v.words.Day(ban.terms().until())}}));
  measure.Add(v.Say("Waar"), ScopeText(v, ban.has_scope() ? ban.scope() : ban.terms().scope()));
  measure.Add(v.Say("Reden van afwijking"), ban.terms().departure_reason());
  measure.Add(v.Say("Wat er gebeurde"), ban.reasons(), true);
  measure.Add(v.Say("Blijft open"), ban.open_channels());
  measure.Add(v.Say("Advies"), ban.advice());
  if (ban.has_decision()) {
    measure.Add(v.Say("Besluit"),
                absl::StrCat(v.words.RoleName(ban.decision().level()), " ", ban.decision().number(), ", ",
                             v.words.Day(ban.decision().date())));
  }
  for (const auto& e : ban.extensions()) {
    measure.Add(v.Say("Verlengd"), absl::StrCat(v.words.Day(e.previous_until()), " → ",
                                                v.words.Day(e.until()), ": ", e.reason()));
  }
  if (ban.has_lift()) measure.Add(v.Say("Opgeheven"), ban.lift().reason());
  for (const auto& b : ban.breaches())
    measure.Add(v.Say("Overtreding"),
                absl::StrCat(v.words.Moment(b.at()), ", ", LocationName(v, b.location_id())));
  for (const auto& c : ban.corrections()) {
    measure.Add(v.Say("Gecorrigeerd"),
                absl::StrCat(v.words.Moment(c.at()), ": ", c.reason(), " ", v.Say("Eerst stond er:"), " ",
                             FullName(c.previous().name())),
                true);
  }
  take(v.Say("Maatregel"), measure);

  FactList photo;
  const pb::PhotoRelease& release = ban.release();
  photo.Add(v.Say("Stand"), NameOf(v.words, release.state()));
  if (file.photo().held()) {
    photo.Add(v.Say("Bewaard sinds"),
              file.photo().has_since() ? v.words.Moment(file.photo().since()) : v.Say("onbekend"));
    if (file.photo().has_goes_at()) photo.Add(v.Say("Verdwijnt op"), v.words.Moment(file.photo().goes_at()));
  }
  photo.Add(v.Say("Bron"), file.photo().source_name());
  photo.Add(v.Say("Grondslag"), file.photo().legal_basis_name());
  for (const auto& answer : release.answers()) {
    std::string criterion = answer.criterion_id();
    for (const auto& choice : v.choices().criteria()) {
      if (choice.id() == criterion) criterion = choice.text();
    }
    photo.Add(criterion, answer.explanation());
  }
  photo.Add(v.Say("Ontvangers van de foto"), Names(v, release.recipient_unit_ids(), UnitName));
  for (const auto& e : release.exports())
    photo.Add(v.Say("Uitgereikt"), absl::StrCat(v.words.Moment(e.at()), ": ", e.basis()));
  for (const auto& check : release.copies()) {
    photo.Add(v.Say("Kopieën"),
              check.has_confirmed_at()
                  ? v.Say("{unit}: geen meer, bevestigd op {at}",
                          {{"unit", check.unit_id()}, {"at", v.words.Moment(check.confirmed_at())}})
                  : v.Say("{unit}: gevraagd op {at}",
                          {{"unit", check.unit_id()}, {"at", v.words.Moment(check.asked_at())}}));
  }
  for (const auto& o : file.objections()) {
    photo.Add(v.Say("Bezwaar tegen de foto"),
              absl::StrCat(v.words.Moment(o.at()), ", ", o.upheld() ? v.Say("gegrond") : v.Say("ongegrond"),
                           ": ", o.reasons()));
  }
  take(v.Say("Foto"), photo);
  return out;
}

std::vector<View> Steps(Visit& v, const pb::SubjectFile& file) {
  std::vector<View> out;
  for (const pb::SubjectStep& step : file.steps()) {
    View one;
    one.Set("state", "done")
        .Set("what", EventName(v.words, step.event()))
        .Set("when", v.words.Moment(step.at()))
        .Set("note", false);
    one.Set("who",
            step.role() == pb::ROLE_UNSPECIFIED ? v.Say("het systeem") : v.words.RoleName(step.role()));
    out.push_back(std::move(one));
  }
  return out;
}

std::vector<View> Looks(Visit& v, const pb::ExportSubjectResponse& whole) {
  std::vector<View> out;
  for (const pb::SubjectEntry& e : whole.entries()) {
    if (static_cast<int>(out.size()) == kEntriesShown) break;
    View row;
    row.Set("damaged", e.damaged()).Set("place", Place(e.origin(), e.index()));
    const std::string stamp = Stamp(e.at().seconds() * 1000);
    row.Set("day", stamp.substr(0, 10))
        .Set("time", stamp.substr(11, 5))
        .Set("what", EventName(v.words, e.event()));
    row.Set("refused", e.result() == pb::RESULT_REFUSED ? RuleName(v.words, e.rule()) : "");
    row.Set("role", e.role() == pb::ROLE_UNSPECIFIED ? v.Say("het systeem") : v.words.RoleName(e.role()));
    row.Set("units", Names(v, e.unit_ids(), UnitName)).Set("where", LocationName(v, e.location_id()));
    row.Set("purpose", e.purpose() == pb::PURPOSE_UNSPECIFIED ? "" : NameOf(v.words, e.purpose()));
    out.push_back(std::move(row));
  }
  return out;
}

Response ShowSubject(Visit& v) {
  View view;
  pb::ExportSubjectResponse whole;
  const std::string title = v.Say("Wat er over betrokkene is bewaard");
  view.Set("ban_id", v.Part("ban")).Set("there", false);
  if (!AskAll(v, whole)) return v.Page("subject", title, std::move(view));
  view.Set("there", true)
      .Set("as_of", v.words.Moment(whole.file().as_of()))
      .Set("parts", Parts(v, whole.file()));
  view.Set("timeline", Steps(v, whole.file()))
      .Set("looks", Looks(v, whole))
      .Set("any_looks", whole.entries_size() > 0);
  view.Set("amount", absl::StrCat(whole.entries_size()));
  view.Set("more", whole.entries_size() > kEntriesShown
                       ? v.Say("Hier staan de nieuwste {n}; in het bestand staan ze alle.",
                               {{"n", absl::StrCat(kEntriesShown)}})
                       : "");
  view.Set("path", absl::StrCat("/subject/", v.Part("ban")));
  return v.Page("subject", title, std::move(view));
}

Response DownloadSubject(Visit& v) {
  pb::ExportSubjectResponse whole;
  if (!AskAll(v, whole))
    return v.Page("subject", v.Say("Wat er over betrokkene is bewaard"),
                  View().Set("ban_id", v.Part("ban")).Set("there", false));
  // The core answered for this id, so it is one.
  return Download(absl::StrCat("inzage-", whole.file().ban().id(), ".json"),
                  "application/json; charset=utf-8", client::Json(whole));
}

// ---- Correction.

std::string OtherName(int i, const char* part) {
  return absl::StrCat("identity.other_names.", i, ".", part);
}

Response ShowCorrect(Visit& v) {
  View view;
  pb::ExportSubjectRequest request;
  request.set_ban_id(v.Part("ban"));
  request.set_page_size(1);
  pb::ExportSubjectResponse now;
  view.Set("ban_id", v.Part("ban"))
      .Set("path", v.request.path)
      .Set("there", false)
      .Set("back_path", absl::StrCat("/subject/", v.Part("ban")));
  if (const auto error = v.Ask<Service>(&Stub::ExportSubject, request, &now, kReading); !error.ok()) {
    v.Problem(error);
    return v.Page("subject_correct", v.Say("Dossier corrigeren"), std::move(view));
  }
  const pb::Identity& identity = now.file().ban().identity();
  const auto field = [&](const std::string& name, const std::string& label, const std::string& value,
                         int length, bool optional) {
    FieldOptions o = Plain(length, optional);
    o.value = value;
    return TextField(v, name, label, o);
  };
  view.Set("given_names",
           field("identity.name.given_names", v.Say("Voornamen"), identity.name().given_names(), 120, true));
  view.Set("prefix",
           field("identity.name.prefix", v.Say("Tussenvoegsel"), identity.name().prefix(), 20, true));
  view.Set("surname",
           field("identity.name.surname", v.Say("Achternaam"), identity.name().surname(), 120, true));
  view.Set("birth_date", DateField(v, "identity.birth_date", v.Say("Geboortedatum"), identity.birth_date(),
                                   Plain(10, true)));
  std::vector<View> others;
  const int shown = std::min(kOtherNames, identity.other_names_size() + 1);
  for (int i = 0; i < shown; ++i) {
    const pb::PersonName known = i < identity.other_names_size() ? identity.other_names(i) : pb::PersonName();
    View one;
    one.Set("given_names",
            field(OtherName(i, "given_names"), v.Say("Voornamen"), known.given_names(), 120, true));
    one.Set("prefix", field(OtherName(i, "prefix"), v.Say("Tussenvoegsel"), known.prefix(), 20, true));
    one.Set("surname", field(OtherName(i, "surname"), v.Say("Achternaam"), known.surname(), 120, true));
    others.push_back(std::move(one));
  }
  view.Set("others", others);
  FieldOptions about = Plain(500, true);
  about.value = identity.description();
  view.Set("description", TextField(v, "identity.description", v.Say("Signalement"), about));
  FieldOptions reason;
  reason.max_length = 2000;
  reason.rows = 4;
  reason.hint = v.Say("Wat er niet klopte, en waaruit dat blijkt");
  view.Set("reason", TextField(v, "reason", v.Say("Reden"), reason));
  view.Set("there", true);
  FactList facts;
  facts.Add(v.Say("Naam"), FullName(identity.name()), true);
  for (const pb::PersonName& other : identity.other_names())
    facts.Add(v.Say("Andere naam"), FullName(other), true);
  if (identity.has_birth_date()) facts.Add(v.Say("Geboortedatum"), v.words.Day(identity.birth_date()), true);
  facts.Add(v.Say("Signalement"), identity.description(), true);
  view.Set("facts", facts.views()).Set("established", identity.established() ? "yes" : "");
  return v.Page("subject_correct", v.Say("Dossier corrigeren"), std::move(view));
}

Response Correct(Visit& v) {
  pb::CorrectFileRequest request;
  request.set_ban_id(v.Part("ban"));
  pb::Identity& identity = *request.mutable_identity();
  const auto read = [&v](const std::string& prefix, pb::PersonName& name) {
    name.set_given_names(v.Field(prefix + ".given_names"));
    name.set_prefix(v.Field(prefix + ".prefix"));
    name.set_surname(v.Field(prefix + ".surname"));
  };
  read("identity.name", *identity.mutable_name());
  for (int i = 0; i < kOtherNames; ++i) {
    pb::PersonName other;
    read(absl::StrCat("identity.other_names.", i), other);
    if (!FullName(other).empty()) *identity.add_other_names() = other;
  }
  if (!ReadDate(v, "identity.birth_date", true, identity.mutable_birth_date())) return ShowCorrect(v);
  if (identity.birth_date().year() == 0) identity.clear_birth_date();
  identity.set_description(v.Field("identity.description"));
  // Whether it is established does not change here; it goes along as it was.
  identity.set_established(v.Checked("identity.established"));
  request.set_reason(v.Field("reason"));
  if (const auto error = v.Tell<Service>(&Stub::CorrectFile, request); !error.ok()) {
    v.Problem(error);
    return ShowCorrect(v);
  }
  return v.Done(absl::StrCat("/subject/", v.Part("ban")),
                v.Say("Het dossier is gecorrigeerd. De balies gebruiken het vanaf nu zo."));
}

constexpr Route kRoutes[] = {
    {"GET", "/subject", Who::kSignedIn, &ShowFind},
    {"POST", "/subject", Who::kSignedIn, &Find},
    {"GET", "/subject/:ban", Who::kSignedIn, &ShowSubject},
    {"GET", "/subject/:ban/file", Who::kSignedIn, &DownloadSubject},
    {"GET", "/subject/:ban/correct", Who::kSignedIn, &ShowCorrect},
    {"POST", "/subject/:ban/correct", Who::kSignedIn, &Correct},
};

}  // namespace

std::span<const Route> PrivacyRoutes() {
  return kRoutes;
}

}  // namespace waarborg::station
