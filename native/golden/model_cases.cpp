// This file handles the kinds unet, vae_encode, vae_decode, tokenizer, text_encode and u2net.
#include <ATen/core/grad_mode.h>

#include "golden/shared_models.h"
#include "mask/part_masker.h"

namespace dan::golden {

namespace {

void runUnet(Case& test) {
  const at::NoGradGuard noGrad;
  const at::Tensor sample = test.input("sample");
  const at::Tensor t = at::full({sample.size(0)}, test.params().at("timestep").get<double>(), at::kFloat);
  test.expect("noise_pred", baseOf(test).unet->forward(sample, t, test.input("encoder_hidden_states")));
}

void runVaeEncode(Case& test) {
  const at::NoGradGuard noGrad;
  const auto posterior = baseOf(test).vae->encode(test.input("image"));
  test.expect("mean", posterior.mean);
  test.expect("logvar", posterior.logVariance);
}

void runVaeDecode(Case& test) {
  const at::NoGradGuard noGrad;
  test.expect("image", baseOf(test).vae->decode(test.input("latents")));
}

void runTextEncode(Case& test) {
  const at::NoGradGuard noGrad;
  const model::BaseModel& base = baseOf(test);
  const at::Tensor ids = base.tokenize(test.params().at("prompts").get<std::vector<std::string>>());
  if (!ids.equal(test.hostInput("input_ids"))) test.fail("the tokenizer gives other ids");
  const auto adapter = test.params().contains("adapter") ? adapterOf(test) : nullptr;
  test.expect("last_hidden_state",
              base.textEncoder->forward(ids, adapter ? adapter->textHook() : model::ProjectionHook()));
}

// The tokenizer's file is JSON: a list of prompts with their ids.
void runTokenizer(Case& test) {
  const model::ClipTokenizer& tokenizer = *baseOf(test).tokenizer;
  size_t count = 0;
  for (const auto& row : model::readJsonFile(test.filePath())) {
    const auto prompt = row.at("prompt").get<std::string>();
    ++count;
    if (tokenizer.encode(prompt) != row.at("input_ids").get<std::vector<int64_t>>())
      test.fail("'" + prompt + "' differs");
  }
  if (count == 0) test.fail("the file holds no prompts");
}

void runU2net(Case& test) {
  const at::NoGradGuard noGrad;
  // Every weight file of the case must give the same result.
  for (const auto& weights : test.params().at("weights")) {
    const mask::U2netMasker masker(test.path(weights), test.device());
    const auto maps = masker.network().forward(mask::normalizeForU2net(test.input("image")));
    for (size_t i = 0; i < maps.size(); ++i) test.expect("d" + std::to_string(i), at::sigmoid(maps[i]));
    test.expect("saliency", mask::spreadRange(at::sigmoid(maps[0])));
  }
}

}  // namespace

void addModelHandlers(Handlers& handlers) {
  handlers["unet"] = {runUnet, kOnDevice};
  handlers["vae_encode"] = {runVaeEncode, kOnDevice};
  handlers["vae_decode"] = {runVaeDecode, kOnDevice};
  handlers["text_encode"] = {runTextEncode, kOnDevice};
  handlers["u2net"] = {runU2net, kOnDevice};
  // Its outputs are in the same JSON file, so there is no tensor to compare.
  handlers["tokenizer"] = {runTokenizer};
}

}  // namespace dan::golden
